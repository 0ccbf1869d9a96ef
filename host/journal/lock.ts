import { readFileSync, readlinkSync, renameSync, symlinkSync, unlinkSync } from 'node:fs';

// A lock is a symbolic link to nowhere, whose target tells who has it: it is there with its words or not at all, and takes no room of a disk that is full.

/** Who has a lock: a process by its id, or one that cannot be seen from here. */
export type Holder = number | 'elsewhere';

/**
 * Takes the lock at `path` for this process; answers who has it when somebody does. A lock whose process has died, by a power cut too, is taken over.
 * Of one in another container only that is known: it counts as alive. Machines that share a file system are not seen at all.
 */
export function lock(path: string): Holder | undefined {
  const mine = nameOf(process.pid);
  for (;;) {
    try {
      symlinkSync(mine, path);
      return undefined;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
    const theirs = read(path);
    if (theirs === undefined) continue; // given back just now
    const holder = holderOf(theirs);
    if (holder !== undefined) return holder;
    takeAway(path, theirs, `${path}.${mine.replaceAll(' ', '-')}`);
  }
}

/** Gives the lock back, unless somebody removed it and it is another's now. */
export function unlock(path: string): void {
  if (read(path) === nameOf(process.pid)) unlinkSync(path);
}

/** Removes a lock that was found to be `theirs`; another may have done so meanwhile, and hold it now: it gets it back. */
function takeAway(path: string, theirs: string, aside: string): void {
  try {
    renameSync(path, aside);
  } catch {
    return;
  }
  const taken = read(aside);
  if (taken !== undefined && taken !== theirs) symlinkSync(taken, path);
  unlinkSync(aside);
}

function read(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** Undefined when that process is no more. */
function holderOf(theirs: string): Holder | undefined {
  const [id = '', started, boot, container = ''] = theirs.split(' ');
  const pid = Number(id);
  if (boot !== here.boot) return boot !== undefined && here.boot !== undefined ? undefined : 'elsewhere';
  if (container !== here.container) return 'elsewhere';
  const start = startOf(pid);
  if (start !== undefined) return start === started ? pid : undefined;
  try {
    process.kill(pid, 0);
    return pid;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM' ? pid : undefined; // another user's
  }
}

/** A process id comes again, in the next container and after each start of the machine: on Linux the time of its start, the boot and the namespace tell. */
function nameOf(pid: number): string {
  return here.boot === undefined ? String(pid) : `${pid} ${startOf(pid)} ${here.boot} ${here.container}`;
}

function startOf(pid: number): string | undefined {
  const stat = text(() => readFileSync(`/proc/${pid}/stat`, 'latin1'));
  return stat?.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
}

function text(get: () => string): string | undefined {
  try {
    return get();
  } catch {
    return undefined;
  }
}

/** Short: a link of up to 59 bytes needs no block on ext4. */
const here = {
  boot: text(() => readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').replaceAll('-', '').slice(0, 16)),
  container: text(() => readlinkSync('/proc/self/ns/pid').replaceAll(/\D/g, '')) ?? '',
};
