// Starts the page: theme and address first, so that nothing flickers.
import { mount } from "svelte";
import App from "./App.svelte";
import "./app.css";
import "uplot/dist/uPlot.min.css";
import { startPlace } from "./state/place.svelte";
import { startSession } from "./state/session.svelte";
import { startTheme } from "./state/theme.svelte";

startTheme();
startPlace();
startSession();
const target = document.getElementById("app");
if (target) mount(App, { target });
