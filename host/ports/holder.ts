import { readdirSync, readFileSync, readlinkSync, realpathSync } from 'node:fs';

/** The program that has `path` open, besides this one, as `name (process N)`; undefined when the system does not tell, or tells only its owner. */
export function holderOf(path: string, own: number = process.pid): string | undefined {
  let device: string;
  let processes: string[];
  try {
    device = realpathSync(path);
    processes = readdirSync('/proc').filter((name) => /^\d+$/.test(name) && Number(name) !== own);
  } catch {
    return undefined; // no such device, or no /proc
  }
  const pid = processes.find((name) => openFiles(name).includes(device));
  if (pid === undefined) return undefined;
  try {
    return `${readFileSync(`/proc/${pid}/comm`, 'utf8').trim()} (process ${pid})`;
  } catch {
    return undefined; // it has just ended
  }
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
