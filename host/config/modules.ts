// Which module runs on the board: those that are built here, and one's own.

import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { protocolOf } from './broker.js';
import { nearest } from './faults.js';
import { type Checks, quantities } from './file.js';

/** The modules that a board can run, with the protocols that each speaks. */
const modules: Readonly<Record<string, readonly ('MQTT' | 'MQTT-SN')[]>> = {
  'node-mqtt': ['MQTT'],
  'node-mqttsn': ['MQTT-SN'],
  node: ['MQTT', 'MQTT-SN'],
  'sensor-mqtt': ['MQTT'],
  'sensor-mqttsn': ['MQTT-SN'],
  sensor: ['MQTT', 'MQTT-SN'],
  'sensor-mqtt-journal': ['MQTT'],
  'sensor-mqttsn-journal': ['MQTT-SN'],
  'sensor-journal': ['MQTT', 'MQTT-SN'],
};

/** Whether it is one's own, given by its path. */
export function isModulePath(module: string): boolean {
  return /[/\\]|\.wasm$/.test(module);
}

/** Whether it has drivers, and so several readings. */
export function hasDrivers(module: string): boolean {
  return isModulePath(module) || module.startsWith('node');
}

export function keepsJournal(module: string): boolean {
  return hasDrivers(module) || module.endsWith('-journal');
}

/** The file of a module; this one runs as build/js/host/config/modules.js. */
export function moduleFile(module: string): string {
  return isModulePath(module) ? module : fileURLToPath(new URL(`../../../${module}.wasm`, import.meta.url));
}

/** Checks `module`, and `journal`, which not every module keeps. */
export function moduleChecks({ file, faults, directory }: Checks): void {
  const { module, broker, journal, sensors = [], updates } = file;
  if (module === undefined) return;
  const urls = typeof broker?.url === 'string' ? [broker.url] : (broker?.url ?? []);
  const [url] = urls.filter((one) => one !== null);
  if (isModulePath(module)) return;
  const protocols = Object.hasOwn(modules, module) ? modules[module] : undefined;
  if (!protocols) {
    const near = nearest(module, Object.keys(modules));
    const own = existsSync(`${directory}/${module}.wasm`) ? `; your own is "./${module}.wasm"` : '';
    faults.add(
      ['module'],
      `there is no module "${module}"${own || (near === undefined ? '; write node-mqtt, node-mqttsn, node, or the path of your own' : `; did you mean "${near}"?`)}`,
    );
    return;
  }
  if (url !== undefined && !protocols.includes(protocolOf(url))) {
    const fitting = Object.keys(modules).filter(
      (name) => name.startsWith(module.split('-')[0] ?? '') && modules[name]?.includes(protocolOf(url)),
    );
    faults.add(['module'], `${module} does not speak ${protocolOf(url)}, as the broker does; write ${fitting[0]}, or leave it out`);
  }
  if (journal === true && !keepsJournal(module))
    faults.add(['journal'], `${module} keeps none; write ${module}-journal in module, or leave it out`);
  if (hasDrivers(module)) return;
  if (updates) faults.add(['updates'], `${module} takes none; write node-mqtt, node-mqttsn or node in module`);
  sensors.forEach((sensor, index) => {
    if (!sensor?.driver) return;
    const plain =
      index === 0 && sensor.driver === 'board' && quantities.every((quantity) => quantity === 'temperature' || !sensor[quantity]);
    if (!plain)
      faults.add(
        ['sensors', index],
        `${module} reads one thermometer of the board and has no drivers; write node-mqtt, node-mqttsn or node in module`,
      );
  });
}
