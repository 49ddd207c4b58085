// The dashcurve as a component of NiceGUI, which brings ECharts along.
import { echarts } from "nicegui-echart";
import { curve } from "/assets/curve.js";

export default {
  template: "<div></div>",
  props: { spec: Object },
  mounted() {
    this.close = curve(this.$el, JSON.parse(JSON.stringify(this.spec)), echarts);
  },
  unmounted() {
    this.close?.();
  },
};
