// The dashboards as a component of NiceGUI, which brings ECharts along.
import { echarts } from "nicegui-echart";
import { boards } from "/assets/boards.js";

export default {
  template: "<div></div>",
  props: { spec: Object },
  mounted() {
    this.close = boards(this.$el, JSON.parse(JSON.stringify(this.spec)), echarts);
  },
  unmounted() {
    this.close?.();
  },
};
