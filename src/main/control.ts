import { runControl } from '../operator/processes/control-process.js';

runControl();
