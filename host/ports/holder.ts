import { readdirSync, readFileSync, readlinkSync, realpathSync, type Stats, statSync } from 'node:fs';

/**
 * The program that has `path` open, besides this one, as `name (process N)`: the one that holds its lock where that can be seen, else the first that does not merely
 * hold the other end of a pseudo-terminal. Undefined when the system does not tell, or tells only its owner.
 */
export function holderOf(path: string, own: number = process.pid): string | undefined {
  let device: string;
  let locker: string | undefined;
  let processes: string[];
  try {
    device = realpathSync(path);
    locker = lockerOf(statSync(device));
    processes = readdirSync('/proc').filter((name) => /^\d+$/.test(name) && Number(name) !== own);
  } catch {
    return undefined; // no such device, or no /proc
  }
  if (locker === String(own)) return undefined; // others may look at it
  const holders = processes
    .map((pid) => ({ pid, files: openFiles(pid) }))
    .filter(({ pid, files }) => pid === locker || files.includes(device));
  const holder =
    holders.find(({ pid }) => pid === locker) ?? holders.find(({ files }) => !files.some((file) => /\/ptmx$/.test(file))) ?? holders[0];
  if (!holder) return undefined;
  try {
    return `${readFileSync(`/proc/${holder.pid}/comm`, 'utf8').trim()} (process ${holder.pid})`;
  } catch {
    return undefined; // it has just ended
  }
}

/** The process that locked a file, as /proc/locks has it: `1: FLOCK  ADVISORY  WRITE 1234 00:1a:5 0 EOF`, with device and inode. */
function lockerOf({ dev, ino }: Stats): string | undefined {
  const hex = (number: number) => number.toString(16).padStart(2, '0');
  const file = `${hex((dev >> 8) & 0xfff)}:${hex((dev & 0xff) | ((dev >> 12) & 0xfff00))}:${ino}`;
  const lines = readFileSync('/proc/locks', 'utf8').split('\n');
  return lines.map((line) => line.trim().split(/\s+/)).find((fields) => fields[5] === file)?.[4];
}

function openFiles(pid: string): string[] {
  const directory = `/proc/${pid}/fd`;
  try {
    return readdirSync(directory).map((name) => {
      try {
        return readlinkSync(`${directory}/${name}`);
      } catch {
        return ''; // closed meanwhile
      }
    });
  } catch {
    return []; // another's, or gone
  }
}
