// The server's JSON as charts draw it: one time axis (Unix seconds), a column of values for each line, null where nothing was measured.

/** Read an answer: key -> chart {times, start, end, marks, unit, series: [{name, average, low, high}]}; an answer of one chart has the key "". */
export function chartsOf(answer) {
  const { charts, ...shared } = answer;
  if (!charts) return { "": answer };
  return Object.fromEntries(Object.entries(charts).map(([key, chart]) => [key, { ...shared, ...chart }]));
}

const firstAt = (times, wanted) => {
  const found = times.findIndex(wanted);
  return found < 0 ? times.length : found;
};

/** Put what came since behind what is there, and drop what is older than the stretch (seconds) that the page shows. */
export function grown(chart, fresh, stretch) {
  const { end } = fresh;
  const start = end - stretch;
  const last = chart.times.at(-1) ?? -Infinity;
  const kept = firstAt(chart.times, (time) => time >= start);
  const added = firstAt(fresh.times, (time) => time > last);
  const join = (old, young) => [
    ...(old ? old.slice(kept) : new Array(chart.times.length - kept).fill(null)),
    ...(young ? young.slice(added) : new Array(fresh.times.length - added).fill(null)),
  ];
  const keyOf = (line) => line.metric ?? line.name;
  const young = new Map(fresh.series.map((line) => [keyOf(line), line]));
  const old = new Set(chart.series.map(keyOf));
  const series = [...chart.series, ...fresh.series.filter((line) => !old.has(keyOf(line))).map((line) => ({ ...line, average: null, low: null, high: null }))];
  return {
    ...chart, start, end, no_data_since: null,
    times: join(chart.times, fresh.times),
    series: series.map((line) => {
      const more = young.get(keyOf(line));
      const columns = line.low || more?.low ? { low: join(line.low, more?.low), high: join(line.high, more?.high) } : {};
      return { ...line, ...columns, average: join(line.average, more?.average) };
    }),
  };
}

/** The moment (Unix seconds) of the newest value of charts, 0 without any. */
export function newest(charts) {
  let last = 0;
  for (const { times, series } of charts) {
    for (const { average } of series) {
      const place = average.findLastIndex((value) => value !== null);
      if (place >= 0 && times[place] > last) last = times[place];
    }
  }
  return last;
}

const middle = (numbers) => [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)] || 0;

/**
 * Find where silence stands: {usual, at}, the usual step and the places before which there is a gap. A gap is more than 2.5 usual steps,
 * and more than 2.5 of the steps around it (a page that turned live has points of 15 s and of 1 s).
 */
export function silence(times) {
  const steps = times.slice(1).map((time, i) => time - times[i]);
  const usual = middle(steps);
  const isGap = (step, i) => step > usual * 2.5 && step > middle([...steps.slice(Math.max(0, i - 3), i), ...steps.slice(i + 1, i + 4)]) * 2.5;
  const at = usual ? steps.flatMap((step, i) => (isGap(step, i) ? [i + 1] : [])) : [];
  return { usual, at };
}

/** Put a value of each gap's own into a column: `filler(place)` before each place where silence ends. */
export function withGaps(column, at, filler) {
  if (!at.length) return column;
  const made = [];
  let from = 0;
  for (const place of at) {
    for (; from < place; from += 1) made.push(column[from]);
    made.push(filler(place));
  }
  return made.concat(column.slice(from));
}

/** A line that is measured less often than the others of its chart has no gap between its values: null becomes undefined there. */
export function bridged(column, times, usual) {
  const places = [];
  column.forEach((value, i) => { if (value !== null) places.push(i); });
  if (places.length < 3 || places.length * 1.5 > column.length) return column;
  const own = middle(places.slice(1).map((place, i) => times[place] - times[places[i]]));
  if (own < usual * 1.5) return column;
  const made = [...column];
  for (let i = 1; i < places.length; i += 1) {
    if (times[places[i]] - times[places[i - 1]] <= own * 2.5) made.fill(undefined, places[i - 1] + 1, places[i]);
  }
  return made;
}
