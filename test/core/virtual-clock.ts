export { VirtualClock } from '../../host/testing/virtual-clock.js';
