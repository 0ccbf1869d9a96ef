import type { Scenario } from './scenario.js';

export const mqttsnScenarios: readonly Scenario[] = [];
