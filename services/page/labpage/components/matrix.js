import { start } from "/assets/matrix.js";

export default {
  template: `<div class="matrix"></div>`,
  props: { words: Object },
  mounted() {
    this.stop = start(this.$el, this.words);
  },
  unmounted() {
    this.stop?.();
  },
};
