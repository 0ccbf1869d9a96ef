import { holdsTheBound } from './bound.js';

holdsTheBound({ of: 'odd', file: 'network/campaign-odd' });
