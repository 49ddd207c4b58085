// The dashexercises as a component of NiceGUI, which brings ECharts along.
import { echarts } from "nicegui-echart";
import { exercises } from "/assets/exercises.js";

export default {
  template: "<div></div>",
  props: { spec: Object },
  mounted() {
    this.close = exercises(this.$el, JSON.parse(JSON.stringify(this.spec)), echarts);
  },
  unmounted() {
    this.close?.();
  },
};
