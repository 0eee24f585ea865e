/**
 * Subjects against each other in one process: short blocks in random order, so that what else the machine does hits
 * all alike. CPU time of the process (all threads) counts; wall time stands beside it. Ratios are taken within a
 * round, between neighbours in time, and their median is reported with its confidence interval.
 */

/** One thing to time. */
export interface Subject {
  name: string;
  /** The operation; `n` counts this subject's operations from 0. */
  run(n: number): unknown;
  /** Throws unless the operation does what the case says it times (a hit that is a hit, with the right data). */
  prove(): Promise<void>;
  /** Before each block, not timed. */
  reset?(): Promise<void>;
  /** After each block's operations, timed: work that they left behind. */
  finish?(): Promise<void>;
}

/** What a subject may cost, as a multiple of another. */
export interface Limit {
  subject: string;
  over: string;
  atMost: number;
}

export interface OpenCase {
  subjects: Subject[];
  close(): Promise<void>;
}

/** Subjects that are timed against each other. */
export interface Case {
  name: string;
  what: string;
  limits: Limit[];
  /** `scratch`: an empty directory that is removed afterwards. Throws `Unavailable` where a server is missing. */
  open(scratch: string): Promise<OpenCase>;
}

/** What can't be had in blocks: files, memory, single long operations, other processes. */
export interface Survey {
  name: string;
  what: string;
  survey(scratch: string, effort: Effort): Promise<Figure[]>;
}

/** One measured value. */
export interface Figure {
  name: string;
  value: number;
  unit: 'us' | 'ms' | 's' | 'KB' | 'MB' | 'x' | '';
  atMost?: number;
}

/** Thrown where something that a case needs is not on this machine. */
export class Unavailable extends Error {}

export interface Effort {
  rounds: number;
  /** Wall time of a block, ms. */
  blockMs: number;
  /** To see that all of it runs: surveys of large things take small ones. */
  isSmoke: boolean;
}

/** CPU and wall time of one block, us per operation. */
interface Sample {
  cpu: number;
  wall: number;
}

export interface Estimate {
  median: number;
  /** 95 % confidence interval of the median. */
  low: number;
  high: number;
}

export interface SubjectResult {
  name: string;
  operations: number;
  cpuMicros: Estimate;
  wallMicros: Estimate;
}

export interface LimitResult extends Limit {
  cpu: Estimate;
  wall: Estimate;
  /** `ok`: at or under; `over`: the whole interval is above; `unclear`: the median is above, the interval is not. */
  verdict: 'ok' | 'unclear' | 'over';
}

export interface CaseResult {
  name: string;
  what: string;
  /** 0: a survey, or not run. */
  rounds: number;
  subjects: SubjectResult[];
  limits: LimitResult[];
  figures: Figure[];
  /** Why it did not run. */
  missing?: string;
}

/** Whether it is over a limit beyond doubt. */
export function isOver({ limits, figures }: CaseResult): boolean {
  return (
    limits.some(({ verdict }) => verdict === 'over') ||
    figures.some(({ value, atMost }) => atMost !== undefined && value > atMost)
  );
}

/** Times all subjects of a case. Each is proved right before the first block and after the last. */
export async function measure(
  { name, what, limits }: Case,
  open: OpenCase,
  effort: Effort,
): Promise<CaseResult> {
  const runners: Runner[] = [];
  for (const subject of open.subjects) {
    await subject.prove();
    runners.push(new Runner(subject));
  }
  // Twice: what they share (axios itself) is compiled on the first one's account.
  for (const runner of [...runners, ...runners]) await runner.calibrate(effort);
  for (let round = 0; round < effort.rounds; round++) {
    for (const runner of shuffled(runners)) await runner.sample();
  }
  for (const { subject } of runners) await subject.prove();

  const byName = new Map(runners.map((runner) => [runner.subject.name, runner]));
  return {
    name,
    what,
    rounds: effort.rounds,
    subjects: runners.map(({ subject, operations, samples }) => ({
      name: subject.name,
      operations,
      cpuMicros: estimate(samples.map(({ cpu }) => cpu)),
      wallMicros: estimate(samples.map(({ wall }) => wall)),
    })),
    limits: limits.map((limit) =>
      judge(limit, samplesOf(byName, limit.subject), samplesOf(byName, limit.over)),
    ),
    figures: [],
  };
}

/** Of each pass before the first round, in times of a block. */
const WARM_BLOCKS = 4;
/** A miss over HTTP is compiled after some thousands; until then it takes half as long again. What takes ms a piece has no need. */
const WARM_OPERATIONS = 3000;
const MOST_WARM_BLOCKS = 40;

class Runner {
  readonly subject: Subject;
  readonly samples: Sample[] = [];
  operations = 0;
  #perBlock = 1;

  constructor(subject: Subject) {
    this.subject = subject;
  }

  /** Warms up until what it does is compiled, and finds how many operations fill a block. */
  async calibrate({ blockMs, isSmoke }: Effort): Promise<void> {
    const first = this.operations;
    const isCold = (spent: number) =>
      spent < WARM_BLOCKS * blockMs ||
      (!isSmoke && this.operations - first < WARM_OPERATIONS && spent < MOST_WARM_BLOCKS * blockMs);
    for (let spent = 0; isCold(spent); ) {
      const { wall } = await this.#block();
      const blockTook = (wall * this.#perBlock) / 1000;
      spent += blockTook;
      const wanted = Math.round((blockMs * 1000) / Math.max(wall, 0.01));
      // Never more than tenfold at once: the first operations are compiled on the way.
      this.#perBlock = Math.max(1, Math.min(wanted, this.#perBlock * 10));
    }
  }

  async sample(): Promise<void> {
    this.samples.push(await this.#block());
  }

  /**
   * Starts without young garbage, so that a subject pays for its own and for nobody else's. Not from a full collection:
   * that takes the hidden classes of what is short-lived with it, and optimised code that relies on them, so that each
   * block would time its compilation.
   */
  async #block(): Promise<Sample> {
    const { subject } = this;
    await subject.reset?.();
    globalThis.gc?.({ type: 'minor' });
    const count = this.#perBlock;
    const wallBefore = process.hrtime.bigint();
    const cpuBefore = process.cpuUsage();
    for (let i = 0; i < count; i++) {
      const result = subject.run(this.operations++);
      if (result instanceof Promise) await result;
    }
    await subject.finish?.();
    // Young garbage that no collection met in the block is collected on its maker's account.
    globalThis.gc?.({ type: 'minor' });
    const { user, system } = process.cpuUsage(cpuBefore);
    const wallNanos = Number(process.hrtime.bigint() - wallBefore);
    return { cpu: (user + system) / count, wall: wallNanos / 1000 / count };
  }
}

function samplesOf(byName: ReadonlyMap<string, Runner>, name: string): Sample[] {
  const runner = byName.get(name);
  if (runner === undefined) throw new Error(`no subject is named ${name}`);
  return runner.samples;
}

function judge(limit: Limit, of: readonly Sample[], over: readonly Sample[]): LimitResult {
  const cpu = estimate(ratios(of, over, 'cpu'));
  const verdict = cpu.median <= limit.atMost ? 'ok' : cpu.low <= limit.atMost ? 'unclear' : 'over';
  return { ...limit, cpu, wall: estimate(ratios(of, over, 'wall')), verdict };
}

function ratios(of: readonly Sample[], over: readonly Sample[], time: keyof Sample): number[] {
  return of.flatMap((sample, round) => {
    const other = over[round];
    return other === undefined ? [] : [sample[time] / other[time]];
  });
}

/** Median, and the order statistics that enclose it at 95 % whatever the distribution. */
export function estimate(values: readonly number[]): Estimate {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (index: number): number => sorted[Math.max(0, Math.min(sorted.length - 1, index))] ?? Number.NaN;
  const middle = (sorted.length - 1) / 2;
  const spread = 0.98 * Math.sqrt(sorted.length);
  return {
    median: (at(Math.floor(middle)) + at(Math.ceil(middle))) / 2,
    low: at(Math.floor(middle - spread)),
    high: at(Math.ceil(middle + spread)),
  };
}

function shuffled<T>(items: readonly T[]): T[] {
  const keyed = items.map((item) => ({ item, order: Math.random() }));
  return keyed.sort((a, b) => a.order - b.order).map(({ item }) => item);
}
