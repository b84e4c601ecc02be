// The parts of ECharts that the page uses; loaded when the first chart is drawn.

import { BarChart, TreemapChart } from 'echarts/charts';
import { GridComponent, TooltipComponent } from 'echarts/components';
import * as core from 'echarts/core';
import { CanvasRenderer } from 'echarts/renderers';

core.use([BarChart, TreemapChart, GridComponent, TooltipComponent, CanvasRenderer]);

export const init = core.init;
export type { EChartsType } from 'echarts/core';
