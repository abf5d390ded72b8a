import { parentPort } from 'node:worker_threads';
import { secondOpinion } from './second-opinion.js';

/** Answers each text in turn, after a first word that it is ready; whoever asks ends the thread when no answer comes. */
parentPort?.on('message', (sql: string) => parentPort?.postMessage(secondOpinion(sql)));
parentPort?.postMessage('ready');
