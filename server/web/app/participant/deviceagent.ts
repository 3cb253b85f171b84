import { type Agent } from "./agent";
export declare const placeholder: Agent;
export class DeviceAgent {}
