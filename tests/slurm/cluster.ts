/**
 * A Slurm cluster on this machine, for tests: a controller and two nodes, each with an address, a host name and a table of
 * processes of its own (Linux namespaces), so that one can be lost as a machine is. Needs root; call it from
 * tests/slurm/run.js, which gives it namespaces of its own: whatever happens, nothing of it goes on after that.
 */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import fs from "node:fs";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { deadline } from "../processes";

const CONTROLLER = "10.77.0.1";
/** After which a silent node counts as lost; a requeued job waits for as long as its credential is valid. */
const NODE_TIMEOUT_S = 6;
const CREDENTIAL_S = 5;
const POLL_MS = 100;

/** The nodes' names and addresses. */
export const NODES = [
  { name: "node1", address: "10.77.0.11" },
  { name: "node2", address: "10.77.0.12" },
] as const;
export type NodeName = (typeof NODES)[number]["name"];

/** Environment of every Slurm command. */
export function slurmEnvironment(folder: string): NodeJS.ProcessEnv {
  return { ...process.env, SLURM_CONF: path.join(folder, "slurm.conf") };
}

/** Slurm's settings: cgroups, accounting and the network's name service are left out. */
function settings(folder: string): string {
  const at = (name: string) => path.join(folder, name);
  const nodes = NODES.map(
    ({ name, address }) => `NodeName=${name} NodeAddr=${address} CPUs=1 RealMemory=2000 State=UNKNOWN`,
  );
  return [
    "ClusterName=porous-sgm-test",
    `SlurmctldHost=controller(${CONTROLLER})`,
    "SlurmUser=root",
    "SlurmdUser=root",
    "AuthType=auth/munge",
    `AuthInfo=socket=${at("munge.socket")},cred_expire=${CREDENTIAL_S}`,
    `StateSaveLocation=${at("state")}`,
    `SlurmdSpoolDir=${at("spool-%n")}`,
    `SlurmctldPidFile=${at("slurmctld.pid")}`,
    `SlurmdPidFile=${at("slurmd-%n.pid")}`,
    `SlurmctldLogFile=${at("slurmctld.log")}`,
    `SlurmdLogFile=${at("slurmd-%n.log")}`,
    "ProctrackType=proctrack/linuxproc",
    "TaskPlugin=task/none",
    "JobAcctGatherType=jobacct_gather/none",
    "SelectType=select/cons_tres",
    "SelectTypeParameters=CR_CPU",
    "SlurmdParameters=config_overrides",
    "MpiDefault=none",
    `SlurmdTimeout=${NODE_TIMEOUT_S}`,
    "ReturnToService=2",
    "KillWait=10",
    ...nodes,
    "PartitionName=all Nodes=ALL Default=YES MaxTime=INFINITE State=UP",
    "",
  ].join("\n");
}

/** Runs a command of the system, which must succeed. */
function must(command: string, ...args: string[]): void {
  const { status, stderr } = spawnSync(command, args, { encoding: "utf8", ...deadline(60) });
  if (status !== 0) throw new Error(`${[command, ...args].join(" ")}: ${stderr}`);
}

/** A running cluster; call stop() in the end. */
export class Cluster {
  private readonly daemons = new Map<string, ChildProcess>();
  readonly environment: NodeJS.ProcessEnv;

  /** `folder` holds settings, state and logs: on a disk that all nodes see. */
  constructor(readonly folder: string) {
    this.environment = slurmEnvironment(folder);
  }

  async start(): Promise<void> {
    const at = (name: string) => path.join(this.folder, name);
    fs.mkdirSync(at("state"));
    fs.writeFileSync(at("slurm.conf"), settings(this.folder));
    fs.writeFileSync(at("munge.key"), randomBytes(128), { mode: 0o400 });
    must("hostname", "controller");
    must("ip", "link", "set", "lo", "up");
    must("ip", "link", "add", "slurm", "type", "bridge");
    must("ip", "addr", "add", `${CONTROLLER}/24`, "dev", "slurm");
    must("ip", "link", "set", "slurm", "up");
    const files = ["key", "socket", "log", "seed", "pid"].map((kind) =>
      `--${kind}-file=${at(`munge.${kind}`)}`.replace("socket-file", "socket"),
    );
    this.daemon("munged", "munged", "--foreground", "--force", ...files);
    await this.until("munged answers", () => fs.existsSync(at("munge.socket")));
    this.daemon("slurmctld", "slurmctld", "-D", "-f", at("slurm.conf"));
    await this.until("the controller answers", () => this.run("scontrol", "ping").stdout.includes("is UP"));
    for (const { name } of NODES) await this.startNode(name);
  }

  /** Starts a node's machine and its daemon, and waits until jobs can run there. */
  async startNode(node: NodeName): Promise<void> {
    const { address } = NODES.find(({ name }) => name === node)!;
    const inside =
      `read -r _ && hostname ${node} && ip link set lo up && ip addr add ${address}/24 dev eth0 && ` +
      `ip link set eth0 up && exec slurmd -D -N ${node} -f "$SLURM_CONF"`;
    const own = ["--net", "--uts", "--pid", "--fork", "--kill-child", "--mount-proc"];
    const child = this.daemon(node, "unshare", ...own, "bash", "-c", inside);
    const outside = `${node}-link`;
    await this.until(`${node} has a network of its own`, () => {
      const [mine, its] = ["self", child.pid].map((pid) => fs.readlinkSync(`/proc/${pid}/ns/net`));
      return mine !== its;
    });
    must("ip", "link", "add", outside, "type", "veth", "peer", "name", "eth0", "netns", String(child.pid));
    must("ip", "link", "set", outside, "master", "slurm", "up");
    child.stdin?.end("\n");
    await this.until(`${node} is idle`, () => /^idle$/m.test(this.state(node)), 60);
  }

  /** Loses a node as by a power failure: its daemon, the jobs there and its network are gone at once. */
  async loseNode(node: NodeName): Promise<void> {
    const child = this.daemons.get(node)!;
    const gone = new Promise((resolve) => child.on("exit", resolve));
    child.kill("SIGKILL");
    await gone;
    this.daemons.delete(node);
  }

  /** What Slurm says of a node, for example idle, mixed, down. */
  state(node: NodeName): string {
    return this.run("sinfo", "-h", "-n", node, "-o", "%T").stdout;
  }

  /** Runs a Slurm command, whatever its exit status. */
  run(command: string, ...args: string[]): { status: number | null; stdout: string; stderr: string } {
    return spawnSync(command, args, { encoding: "utf8", env: this.environment, ...deadline(60) });
  }

  /** Waits for a condition; throws with the logs' ends if it is not met in time. */
  async until(what: string, met: () => boolean, seconds = 30): Promise<void> {
    const end = Date.now() + 1000 * seconds;
    while (!met()) {
      if (Date.now() > end) throw new Error(`Not within ${seconds} s: ${what}.\n${this.logs()}`);
      await sleep(POLL_MS);
    }
  }

  stop(): void {
    for (const child of this.daemons.values()) child.kill("SIGKILL");
    this.daemons.clear();
  }

  private daemon(name: string, command: string, ...args: string[]): ChildProcess {
    const log = fs.openSync(path.join(this.folder, `${name}.out`), "a");
    const child = spawn(command, args, {
      env: this.environment,
      stdio: ["pipe", log, log],
      ...deadline(7200),
    });
    fs.closeSync(log);
    this.daemons.set(name, child);
    return child;
  }

  private logs(): string {
    const names = fs.readdirSync(this.folder).filter((name) => /\.(log|out)$/.test(name));
    return names
      .map((name) => {
        const lines = fs.readFileSync(path.join(this.folder, name), "utf8").trimEnd().split("\n");
        return [`--- ${name}`, ...lines.slice(-12)].join("\n");
      })
      .join("\n");
  }
}
