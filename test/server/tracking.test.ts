// tracking: the scenarios of scenarios/tracking.txt.

import { scenarioTests } from './scenarios.js';

scenarioTests('tracking');
