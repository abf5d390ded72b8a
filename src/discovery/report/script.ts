import { GRAPH_SCRIPT } from './script-graph.js';
import { HEAT_MAP_SCRIPT } from './script-heat-map.js';

/** Without it the page still shows everything but the rows beyond the first. */
export const SCRIPT = `'use strict';${HEAT_MAP_SCRIPT}${GRAPH_SCRIPT}heatMap();\ngraph();\n`;
