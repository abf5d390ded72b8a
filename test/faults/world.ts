import { randomUUID } from 'node:crypto';
import { startPgfig, type TestPgfig } from '../support/pgfig.js';
import { startPostgres, type TestPostgres } from '../support/postgres.js';
import { Broker } from './broker.js';
import { CrashFiles } from './crash-files.js';
import type { MirrorDriver } from './driver.js';
import { FaultNetwork } from './network.js';
import type { Plan } from './plan.js';
import { controlOf } from './processes.js';
import { DDL, fill } from './schema.js';
import { makeTopic } from './topic-reader.js';

const DATABASE = 'shop';
/** Another name: servers that are copied from one template have one system identifier. */
const TARGET_DATABASE = 'new_shop';
const START_TRIES = 20;

/** Everything that a run needs: two servers, the network before each, pgfig (once or twice), perhaps a broker. */
export class World {
  readonly plan: Plan;
  readonly source: TestPostgres;
  readonly target: TestPostgres;
  readonly sourceNetwork: FaultNetwork;
  readonly targetNetwork: FaultNetwork;
  readonly crashes: CrashFiles;
  readonly kafka: Broker | null;
  readonly pgfigs: TestPgfig[] = [];
  /** Also those in whose place others have been started. */
  readonly #allPgfigs: TestPgfig[] = [];
  /** The broker may have topics of other runs. */
  readonly topicPrefix = `faults.${randomUUID()}.`;
  readonly #driver: MirrorDriver;
  readonly #turns = new Map<unknown, Promise<unknown>>();
  #closed = false;

  /** @param prepare done before pgfig starts */
  static async create(
    plan: Plan,
    driver: MirrorDriver,
    prepare: (world: World) => Promise<void> = async () => {},
  ): Promise<World> {
    const settings = { max_prepared_transactions: '20', autovacuum: 'on', ...driver.settings };
    const [source, target, kafka, crashes] = await Promise.all([
      startPostgres({ version: plan.sourceVersion, settings }),
      startPostgres({ settings }),
      plan.kafka ? Broker.get() : null,
      CrashFiles.create(),
    ]);
    const networks = await Promise.all([FaultNetwork.open(() => source), FaultNetwork.open(() => target)]);
    const world = new World(plan, driver, [source, target], networks, crashes, kafka);
    const databases = [
      [source, DATABASE],
      [target, TARGET_DATABASE],
    ] as const;
    await Promise.all(
      databases.map(async ([server, dbname]) => {
        await server.query(`CREATE DATABASE ${dbname}`);
        await server.query(DDL, dbname);
      }),
    );
    if (kafka !== null) await makeTopic(kafka.broker, world.topicPrefix);
    await prepare(world);
    for (let i = 0; i < plan.instances; i++) await world.startPgfig(i);
    return world;
  }

  private constructor(
    plan: Plan,
    driver: MirrorDriver,
    [source, target]: [TestPostgres, TestPostgres],
    [sourceNetwork, targetNetwork]: [FaultNetwork, FaultNetwork],
    crashes: CrashFiles,
    kafka: Broker | null,
  ) {
    this.plan = plan;
    this.#driver = driver;
    this.source = source;
    this.target = target;
    this.sourceNetwork = sourceNetwork;
    this.targetNetwork = targetNetwork;
    this.crashes = crashes;
    this.kafka = kafka;
  }

  /** Not through a network. */
  get sourceUrl(): string {
    return this.source.url(DATABASE);
  }

  get targetUrl(): string {
    return this.target.url(TARGET_DATABASE);
  }

  /** Of one of the running pgfig, in turn. */
  get proxyUrl(): string {
    const running = this.pgfigs[this.#turn++ % this.pgfigs.length];
    return running?.url(DATABASE) ?? this.sourceUrl;
  }
  #turn = 0;

  inSource<R extends Record<string, unknown>>(sql: string, values: readonly unknown[] = []): Promise<R[]> {
    return this.source.query<R>(sql, DATABASE, values).then(({ rows }) => rows);
  }

  inTarget<R extends Record<string, unknown>>(sql: string, values: readonly unknown[] = []): Promise<R[]> {
    return this.target.query<R>(sql, TARGET_DATABASE, values).then(({ rows }) => rows);
  }

  /** What is there before the load. */
  async fill(): Promise<void> {
    await this.source.query(fill(this.plan.rows), DATABASE);
  }

  /** The processes that hold a relay, or may. */
  get controls(): number[] {
    return this.pgfigs.flatMap(({ pid }) => controlOf(pid));
  }

  /** Starts an instance, in the place of one that has died. */
  async startPgfig(at: number): Promise<void> {
    if (this.#closed) return;
    const through = (url: string, server: TestPostgres, network: FaultNetwork): string =>
      url.replace(`:${server.port}/`, `:${network.port}/`);
    const kafka =
      this.kafka === null ? {} : { kafka: { brokers: this.kafka.broker.brokers, topicPrefix: this.topicPrefix } };
    const pgfig = await startPgfig({
      databases: {
        monolith: through(this.sourceUrl, this.source, this.sourceNetwork),
        new_shop: through(this.targetUrl, this.target, this.targetNetwork),
      },
      rules: this.#driver.rules(this.plan, this.kafka !== null),
      config: { listen: { workers: at === 0 ? 2 : 1 }, ...kafka },
      env: this.crashes.env,
    });
    this.#allPgfigs.push(pgfig);
    this.pgfigs[at] = pgfig;
  }

  /** Lets go on what sleeps (SIGSTOP), also what has outlived its primary. */
  wake(): void {
    for (const pgfig of this.#allPgfigs) pgfig.wake();
  }

  /**
   * One thing after the other, for faults that come at once and stop and start the same thing: the one would lose hold
   * of what the other has just started.
   * @param whose a server, or the number of a pgfig
   */
  inTurn<T>(whose: TestPostgres | number, act: () => Promise<T>): Promise<T> {
    const before = this.#turns.get(whose) ?? Promise.resolve();
    const turn = before.then(act, act);
    this.#turns.set(whose, turn);
    return turn;
  }

  /** Starts a server again, whatever it died of. */
  async startServer(server: TestPostgres): Promise<void> {
    for (let triesLeft = START_TRIES; ; triesLeft--) {
      try {
        return await server.restart();
      } catch (error) {
        // Sessions of a postmaster that was killed may hold its memory for a moment.
        if (triesLeft <= 1) throw error;
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all(this.#allPgfigs.map((pgfig) => pgfig.kill().catch(() => {})));
    await Promise.all([this.sourceNetwork.close(), this.targetNetwork.close()]);
    await Promise.all([this.source.remove(), this.target.remove(), this.crashes.remove()]);
  }
}
