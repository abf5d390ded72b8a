import { runWorker } from '../operator/processes/worker-process.js';
import { WorkerTraffic } from '../session/worker-traffic.js';

runWorker((options) => new WorkerTraffic(options));
