import type pg from 'pg';
import { PgfigError } from '../../../errors/pgfig-error.js';
import type { Mirror } from '../../mirror.js';
import { readShapes } from '../../shape/read-shapes.js';
import { identityProblems } from './identity-problems.js';
import { privilegeProblems, roleProblems } from './privilege-problems.js';
import { publicationProblems } from './publication-problems.js';
import { serverProblems } from './server-problems.js';
import { captureProblems, fitProblems, kindProblems } from './table-problems.js';
import { triggerProblems } from './trigger-problems.js';

/**
 * Looks for everything that stands against the mirror, and changes nothing.
 * @returns each reason with what to do, in a sentence; [] where there is none
 * @throws what the driver throws
 */
export async function problemsOf(
  source: pg.ClientBase,
  target: pg.ClientBase,
  mirror: Mirror,
): Promise<readonly string[]> {
  const from = { client: source, name: mirror.source };
  const to = { client: target, name: mirror.target };
  const servers = [...(await serverProblems(from)), ...(await serverProblems(to))];
  // What else there is cannot be asked of such a server.
  if (servers.length > 0) return servers;
  const identity = await allowed(identityProblems(mirror.domain, from, to));
  const here = await readShapes(source, mirror.tables);
  const there = await readShapes(target, mirror.tables);
  const fits = [...here.values()].flatMap((shape) => {
    const copy = there.get(shape.name);
    return copy === undefined || copy.kind === 'other' || shape.kind === 'other'
      ? []
      : fitProblems(shape, copy, mirror.target);
  });
  return [
    ...identity,
    ...(await publicationProblems(from)),
    ...(await publicationProblems(to)),
    ...(await kindProblems(from, mirror.tables, here)),
    ...(await allowed(captureProblems(from, mirror.domain, here))),
    ...(await kindProblems(to, mirror.tables, there)),
    ...fits,
    ...(await privilegeProblems(from, [...here.values()])),
    ...(await privilegeProblems(to, [...there.values()])),
    ...(await roleProblems(to, [...there.values()])),
    ...(await triggerProblems(to, [...there.values()])),
  ];
}

/** @throws PgfigError MIRROR_REFUSED with every reason */
export async function refuseWhatCannotBe(source: pg.ClientBase, target: pg.ClientBase, mirror: Mirror): Promise<void> {
  const problems = await problemsOf(source, target, mirror);
  if (problems.length === 0) return;
  throw new PgfigError(
    'MIRROR_REFUSED',
    `domain ${mirror.domain} cannot be mirrored, and nothing was changed:\n${problems.map((text) => `  ${text}.`).join('\n')}`,
  );
}

/** What pgfig's own tables say, where they may be read: where not, that is among the problems. */
async function allowed(reading: Promise<readonly string[]>): Promise<readonly string[]> {
  return reading.catch((error: unknown) => {
    if (error instanceof Error && 'code' in error && error.code === '42501') return [];
    throw error;
  });
}
