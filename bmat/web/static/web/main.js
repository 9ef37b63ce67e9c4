// Starts the page.

import { start } from "./router.js";
import { ROUTES } from "./routes.js";
import { acceptDrops } from "./upload/drop.js";
import { begin } from "./upload/start.js";
import * as tray from "./upload/tray.js";
import { restore } from "./upload/uploads.js";

tray.start();
acceptDrops(begin);
start(ROUTES);
restore();
