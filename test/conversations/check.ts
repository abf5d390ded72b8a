import t from 'tap';
import { play, readScripts, reads } from './play.js';
import type { Player } from './script.js';
import type { Target } from './targets.js';

/**
 * One subtest per conversation file: every answer must read as the file says.
 * @param chunk bytes per write of the client; 0: as the file says
 */
export function checkConversations(target: Target, player: Player, chunk = 0): void {
  for (const script of readScripts()) {
    const skip = player === 'split' && script.splitSkipped !== null ? script.splitSkipped : false;
    t.test(script.name, { skip }, async (t) => {
      await target.reset();
      const answers = await play(script, target.endpoint, chunk);
      for (const [step, given] of answers) {
        const expected = step.expected[player];
        // A line that reads as expected is shown as expected, so that only true differences stand out.
        const shown = given.map((line, index) => (reads(line, expected[index]) ? expected[index] : line));
        t.strictSame(shown, expected, `${script.name}:${step.at + 1}`);
      }
    });
  }
}
