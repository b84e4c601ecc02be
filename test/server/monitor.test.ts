// monitor: the scenarios of scenarios/monitor.txt.

import { scenarioTests } from './scenarios.js';

scenarioTests('monitor');
