import { linkSync, readFileSync, renameSync, unlinkSync, writeFileSync } from 'node:fs';

/**
 * Takes the lock file at `path` for this process; answers the id of the process that has it when there is one. A lock whose process has died, by a power
 * cut too, is taken over.
 */
export function lock(path: string): number | undefined {
  const mine = `${path}.${process.pid}`;
  writeFileSync(mine, identity(process.pid) ?? String(process.pid), { mode: 0o600 });
  try {
    for (;;) {
      try {
        linkSync(mine, path); // fails when it is there; a file that is made and then written could be seen empty
        return undefined;
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      }
      const theirs = read(path);
      if (theirs === undefined) continue; // given back just now
      const pid = Number.parseInt(theirs, 10);
      if (isAlive(pid, theirs)) return pid;
      takeAway(path, theirs, `${mine}.old`);
    }
  } finally {
    unlinkSync(mine);
  }
}

export function unlock(path: string): void {
  unlinkSync(path);
}

/** Removes a lock that was found to be `theirs`; another may have done so meanwhile, and hold it now: it gets it back. */
function takeAway(path: string, theirs: string, aside: string): void {
  try {
    renameSync(path, aside);
  } catch {
    return;
  }
  if (read(aside) !== theirs) linkSync(aside, path);
  unlinkSync(aside);
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

function isAlive(pid: number, theirs: string): boolean {
  const now = identity(pid);
  if (now !== undefined) return now === theirs;
  try {
    process.kill(pid, 0);
    return Number.isInteger(pid) && process.platform !== 'linux';
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM' && process.platform !== 'linux';
  }
}

/** A process id comes again, after a start of the machine at once: on Linux the boot and the time of its start tell. */
function identity(pid: number): string | undefined {
  const stat = read(`/proc/${pid}/stat`);
  const boot = read('/proc/sys/kernel/random/boot_id');
  if (stat === undefined || boot === undefined) return undefined;
  const started = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
  return `${pid} ${started} ${boot.trim()}`;
}
