import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Test } from 'tap';

/** A new folder with these files, gone with the test. */
export function folderWith(t: Test, files: Readonly<Record<string, string>> = {}): string {
  const folder = mkdtempSync(join(tmpdir(), 'pgfig-test-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  return folder;
}

/** The lines of the error that `action` throws, without the folder's name, so that they can be written down in a test. */
export function faults(folder: string, action: () => unknown): readonly string[] {
  try {
    action();
  } catch (error) {
    return error instanceof Error ? error.message.replaceAll(`${folder}/`, '').split('\n') : [String(error)];
  }
  return [];
}
