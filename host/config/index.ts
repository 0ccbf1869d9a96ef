// Boards and configurations, for the commands.

export { type BoardDescription, boardNames, boardPath, type I2cPins, readBoard } from './board.js';
export { type Chip, type ChipName, chips } from './chips.js';
export { readConfig } from './config.js';
export { ConfigFault } from './faults.js';
export type { Config, Sensor } from './node.js';
export { schemaText } from './schema.js';
export { settingsOf } from './settings.js';
