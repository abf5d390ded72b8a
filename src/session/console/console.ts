/**
 * What a console session needs to know of the console: texts become commands, commands rows. What they mean is decided
 * in operator/console.
 */
export type ConsoleType = 'text' | 'int4' | 'int8' | 'bool' | 'timestamptz';

export interface ConsoleColumn {
  readonly name: string;
  readonly type: ConsoleType;
}

/** A `timestamptz` is milliseconds since 1970; `int4` and `int8` are whole numbers. */
export type ConsoleValue = string | number | boolean | null;

/** A command that is known; its columns are known before it runs, as Describe asks. */
export interface ConsoleCommand {
  /** As it is written in SHOW HELP. */
  readonly name: string;
  /** null: it returns no rows. */
  readonly columns: readonly ConsoleColumn[] | null;
}

export interface ConsoleNotice {
  readonly severity: 'NOTICE' | 'WARNING';
  readonly message: string;
  readonly detail?: string;
}

/** What a command brought; must survive JSON. */
export interface ConsoleAnswer {
  readonly rows: readonly (readonly ConsoleValue[])[];
  readonly notices: readonly ConsoleNotice[];
}

export interface Console {
  /** What clients are told as `server_version`. */
  readonly serverVersion: string;
  /** The commands of a text, which may hold several, or none. @throws PgfigError UNKNOWN_COMMAND */
  read(text: string): readonly ConsoleCommand[];
  /** @throws PgfigError whatever the client is to be told */
  run(user: string, command: ConsoleCommand): Promise<ConsoleAnswer>;
}
