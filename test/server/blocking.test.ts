// Blocked and paused clients: the scenarios of scenarios/blocking-*.txt, and transactions.txt.

import { scenarioTests } from './scenarios.js';

scenarioTests('blocking-lists');
scenarioTests('blocking-zsets');
scenarioTests('blocking-streams');
scenarioTests('blocking-clients');
scenarioTests('pause');
scenarioTests('transactions');
