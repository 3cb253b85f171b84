import { DeviceAgent } from "./deviceagent";
import { keep, start } from "./start";

start(new DeviceAgent());
keep("/sw.js");
