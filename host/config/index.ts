// Boards and configurations, for the commands.

export { type BoardDescription, boardNames, type I2cPins, readBoard } from './board.js';
export { type Chip, type ChipName, chips } from './chips.js';
export { type Config, readConfig, type Sensor } from './config.js';
export { ConfigFault } from './faults.js';
export { schemaText } from './schema.js';
export { settingsOf } from './settings.js';
