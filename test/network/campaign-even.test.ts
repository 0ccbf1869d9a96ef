import { holdsTheBound } from './bound.js';

holdsTheBound({ of: 'even', file: 'network/campaign-even' });
