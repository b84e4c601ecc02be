// The entry of the page.

import { render } from 'preact';
import { App } from './app.js';
import './style/base.css';
import './style/parts.css';
import './style/views.css';

render(<App />, document.getElementById('app') as HTMLElement);
