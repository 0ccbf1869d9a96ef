export { VirtualClock } from '../../host/virtual-clock.js';
