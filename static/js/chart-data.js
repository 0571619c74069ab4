// The server's JSON as charts draw it: one time axis for many lines becomes points; what comes live is put behind.

const at = (list, i) => list?.[i] ?? null;

/** Points of a line: [[ms, average, low, high]], [ms, null] where nothing was measured. Lines that have points keep them. */
function pointsOf(times, line) {
  if (line.points) return line.points;
  return times.map((time, i) => {
    const average = at(line.average, i);
    if (average === null) return [time * 1000, null];
    return line.low ? [time * 1000, average, line.low[i], line.high[i]] : [time * 1000, average];
  });
}

function unpacked(chart, shared) {
  return {
    ...chart,
    start: shared.start * 1000, end: shared.end * 1000,
    no_data_since: shared.no_data_since ? shared.no_data_since * 1000 : null,
    marks: shared.marks ?? [],
    series: chart.series.map(({ average, low, high, ...line }) => ({ ...line, points: pointsOf(shared.times, { ...line, average, low, high }) })),
  };
}

/** Read an answer: key -> chart as docs/ui.md draws it; an answer of one chart has the key "". */
export function chartsOf(answer) {
  if (!answer.times) return { "": answer };
  if (!answer.charts) return { "": unpacked(answer, answer) };
  return Object.fromEntries(Object.entries(answer.charts).map(([key, chart]) => [key, unpacked(chart, answer)]));
}

/** Put what came since behind what is there, and drop what is older than the stretch (ms) that the page shows. */
export function grown(chart, fresh, stretch) {
  const end = fresh.end;
  const start = end - stretch;
  const known = new Map(chart.series.map((line) => [line.metric, line]));
  for (const line of fresh.series) {
    const old = known.get(line.metric);
    const last = old?.points.at(-1)?.[0] ?? -Infinity;
    const points = [...(old?.points ?? []), ...line.points.filter((point) => point[0] > last)];
    known.set(line.metric, { ...line, points: points.filter((point) => point[0] >= start) });
  }
  return { ...chart, start, end, series: [...known.values()], no_data_since: null };
}

/** The moment (Unix seconds) of the newest point of all charts, 0 without any. */
export function newest(charts) {
  let last = 0;
  for (const chart of Object.values(charts)) {
    for (const line of chart.series) {
      const point = line.points.findLast((each) => each[1] !== null);
      if (point && point[0] > last) last = point[0];
    }
  }
  return last / 1000;
}
