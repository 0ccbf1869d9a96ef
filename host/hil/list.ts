import { connectionScenarios } from './connection-scenarios.js';
import { driverScenarios } from './driver-scenarios.js';
import type { Protocol } from './ground.js';
import { journalScenarios } from './journal-scenarios.js';
import { mqttsnScenarios } from './mqttsn-scenarios.js';
import { refusals } from './refusals.js';
import type { Scenario } from './scenario.js';
import { scriptScenarios } from './script-scenarios.js';
import { sensorScenarios } from './sensor-scenarios.js';

/** What every board does, over both protocols. A further file of scenarios is added here. */
const shared: readonly Scenario[] = [
  ...sensorScenarios,
  ...driverScenarios,
  ...journalScenarios,
  ...connectionScenarios,
  ...scriptScenarios,
  ...refusals,
];

/** The list of scenarios over a protocol, in their order. */
export function scenariosOver(protocol: Protocol): readonly Scenario[] {
  return protocol === 'mqtt' ? shared : [...shared, ...mqttsnScenarios];
}
