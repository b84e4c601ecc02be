// Several connections that end, reset and look at each other: the scenarios of scenarios/clients.txt.

import { scenarioTests } from './scenarios.js';

scenarioTests('clients');
