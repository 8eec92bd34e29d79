// The calls of alerts and of the places that they go to; part of the table in operations.ts.
import {
  AlertTarget,
  AlertTargetPath,
  AlertTargets,
  CreateAlertTarget,
  TestedTarget,
} from "./contracts/alert-targets.ts";
import { OpenAlerts, TestedTargets } from "./contracts/alerts.ts";
import type { Operation } from "./operations.ts";

export const ALERT_OPERATIONS = {
  listAlerts: {
    method: "GET",
    path: "/alerts",
    access: "viewer",
    summary: "What is wrong with the fleet and is not over",
    status: 200,
    answer: OpenAlerts,
  },
  testAlerts: {
    method: "POST",
    path: "/alerts/test",
    access: "admin",
    summary: "Send a test to every alert target; what became of each",
    status: 200,
    answer: TestedTargets,
    activity: "alert.tested",
    fleetWide: true,
  },
  listAlertTargets: {
    method: "GET",
    path: "/alerts/targets",
    access: "admin",
    summary: "Where alerts go, and the outside watchdog; URLs by their host only",
    status: 200,
    answer: AlertTargets,
    fleetWide: true,
  },
  createAlertTarget: {
    method: "POST",
    path: "/alerts/targets",
    access: "admin",
    summary: "Add a webhook, or set who is mailed or which watchdog hears of the watch",
    body: CreateAlertTarget,
    status: 201,
    answer: AlertTarget,
    activity: "alert_target.created",
    fleetWide: true,
  },
  deleteAlertTarget: {
    method: "DELETE",
    path: "/alerts/targets/{id}",
    access: "admin",
    summary: "Tell this place no more; the stack's own topic stays",
    params: AlertTargetPath,
    status: 204,
    activity: "alert_target.removed",
    fleetWide: true,
  },
  testAlertTarget: {
    method: "POST",
    path: "/alerts/targets/{id}/test",
    access: "admin",
    summary: "Send a test to one target, or a beat to the watchdog; what became of it",
    params: AlertTargetPath,
    status: 200,
    answer: TestedTarget,
    activity: "alert_target.tested",
    fleetWide: true,
  },
} as const satisfies Record<string, Operation>;
