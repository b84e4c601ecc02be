// Several connections that end, reset and look at each other, as scenarios/clients.txt has them.

import { scenarioTests } from './scenarios.js';

scenarioTests('clients');
