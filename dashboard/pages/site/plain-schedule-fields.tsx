// The form of a schedule: how often, and then only what that needs.
import { type ReactNode, useState } from "react";
import {
  type PlainSchedule,
  parseTime,
  TIME,
  toExpression,
  WEEKDAY_NAMES,
  WEEKDAYS,
} from "../../lib/schedule-words.ts";
import { SelectField, TextField } from "../../ui/field.tsx";

const KINDS: readonly (readonly [PlainSchedule["kind"], string])[] = [
  ["hourly", "Every hour"],
  ["daily", "Every day"],
  ["weekly", "On days of the week"],
  ["monthly", "On a day of the month"],
  ["custom", "By an expression"],
];
const MINUTES = Array.from({ length: 12 }, (_, step) => step * 5);
const DAYS: readonly (readonly [string, string])[] = [
  ...Array.from({ length: 28 }, (_, at) => [String(at + 1), `Day ${at + 1}`] as const),
  ["L", "The last day"],
];

interface PlainScheduleFieldsProps {
  readonly plain: PlainSchedule;
  readonly onChange: (plain: PlainSchedule) => void;
}

export function PlainScheduleFields({ plain, onChange }: PlainScheduleFieldsProps): ReactNode {
  return (
    <>
      <div className="form-row">
        <SelectField
          label="How often"
          value={plain.kind}
          options={KINDS}
          onChange={(kind) => onChange(startOf(kind as PlainSchedule["kind"], plain))}
        />
        <Details plain={plain} onChange={onChange} />
      </div>
      {plain.kind === "weekly" ? <Weekdays plain={plain} onChange={onChange} /> : null}
    </>
  );
}

function Details({ plain, onChange }: PlainScheduleFieldsProps): ReactNode {
  switch (plain.kind) {
    case "hourly":
      return (
        <SelectField
          label="Minute"
          value={String(plain.minute)}
          options={[...new Set([...MINUTES, plain.minute])].map(
            (minute) => [String(minute), `At ${minute} past`] as const,
          )}
          onChange={(minute) => onChange({ ...plain, minute: Number(minute) })}
        />
      );
    case "custom":
      return (
        <TextField
          label="Expression"
          value={plain.expression}
          onChange={(expression) => onChange({ ...plain, expression })}
          help="rate(12 hours), cron(30 2 * * ? *) or at(2031-05-04T02:30:00)"
          spellCheck={false}
          required
        />
      );
    case "monthly":
      return (
        <>
          <SelectField
            label="Day"
            value={String(plain.day)}
            options={
              DAYS.some(([day]) => day === String(plain.day))
                ? DAYS
                : [[String(plain.day), `Day ${plain.day}`], ...DAYS]
            }
            onChange={(day) => onChange({ ...plain, day: day === "L" ? "L" : Number(day) })}
          />
          <TimeField plain={plain} onChange={onChange} />
        </>
      );
    case "daily":
    case "weekly":
      return <TimeField plain={plain} onChange={onChange} />;
  }
}

interface TimeFieldProps {
  readonly plain: Extract<PlainSchedule, { time: string }>;
  readonly onChange: (plain: PlainSchedule) => void;
}

/** Not type="time": that shows 02:00 AM in some browsers, and the runs beside it are always by 24 hours. */
function TimeField({ plain, onChange }: TimeFieldProps): ReactNode {
  const [typed, setTyped] = useState(plain.time);
  const type = (text: string): void => {
    setTyped(text);
    const time = parseTime(text);
    if (time !== undefined) onChange({ ...plain, time });
  };
  return (
    <TextField
      label="At"
      inputMode="numeric"
      value={typed}
      onChange={type}
      error={parseTime(typed) === undefined ? "Write hours and minutes such as 02:30." : undefined}
      placeholder="02:30"
      maxLength={5}
      pattern={TIME.source}
      title="Hours and minutes by 24 hours, such as 02:30"
      required
    />
  );
}

function Weekdays({
  plain,
  onChange,
}: { plain: Extract<PlainSchedule, { kind: "weekly" }> } & Pick<
  PlainScheduleFieldsProps,
  "onChange"
>): ReactNode {
  return (
    <fieldset className="chips-set">
      <legend className="field-title">Days</legend>
      <div className="chips">
        {WEEKDAYS.map((day) => {
          const isChosen = plain.days.includes(day);
          const days = WEEKDAYS.filter((each) => (each === day ? !isChosen : plain.days.includes(each)));
          return (
            <button
              key={day}
              type="button"
              className="chip"
              aria-pressed={isChosen}
              aria-label={WEEKDAY_NAMES[day]}
              // A week without a day is no schedule.
              onClick={() => (days.length > 0 ? onChange({ ...plain, days }) : undefined)}
            >
              {WEEKDAY_NAMES[day].slice(0, 3)}
            </button>
          );
        })}
      </div>
    </fieldset>
  );
}

/** Another kind begins with what the one before had: the time stays, an expression shows what it was. */
function startOf(kind: PlainSchedule["kind"], before: PlainSchedule): PlainSchedule {
  const time = "time" in before && before.time !== "" ? before.time : "03:00";
  switch (kind) {
    case "hourly":
      return { kind, minute: 0 };
    case "daily":
      return { kind, time };
    case "weekly":
      return { kind, time, days: ["SUN"] };
    case "monthly":
      return { kind, time, day: 1 };
    case "custom":
      return { kind, expression: toExpression(before) };
  }
}
