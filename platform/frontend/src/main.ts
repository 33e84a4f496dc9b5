/** What every page loads: the style sheet, htmx, the masthead's manners and the loader of islands. */
import "./styles/city.css";
import htmx from "htmx.org";
import { startIslands } from "./islands";
import { startMasthead } from "./masthead";
import { startTheme } from "./theme";
import { startToasts } from "./toasts";

// The page's meta tag says the same; this holds also if a page forgets it (the CSP forbids both anyway).
htmx.config.allowEval = false;
htmx.config.includeIndicatorStyles = false;

startTheme();
startMasthead();
startToasts();
startIslands();
