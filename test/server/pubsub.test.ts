// pubsub: the scenarios of scenarios/pubsub.txt.

import { scenarioTests } from './scenarios.js';

scenarioTests('pubsub');
