// The entry of the page.

import { render } from 'preact';
import { App } from './app.js';
import './style/base.css';
import './style/parts.css';
import './style/views.css';

const place = document.getElementById('app') as HTMLElement;
// a task of its own: compiling and running what was imported takes long enough
setTimeout(() => render(<App />, place));
