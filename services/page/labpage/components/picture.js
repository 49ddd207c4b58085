import { start } from "/assets/picture.js";

export default {
  template: `<div class="picture"></div>`,
  props: { words: Object, facts: Object, kiosk: Boolean },
  mounted() {
    this.stop = start(this.$el, this.words, this.facts, this.kiosk);
  },
  unmounted() {
    this.stop?.();
  },
};
