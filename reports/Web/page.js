/*!
Bench report page, Apache-2.0.

With Apache ECharts, Copyright 2017-2026 The Apache Software Foundation, Apache-2.0
(https://www.apache.org/licenses/LICENSE-2.0). This product includes software developed at The Apache Software
Foundation (https://www.apache.org/). With tslib, Copyright (c) Microsoft Corporation, 0BSD. With zrender:

BSD 3-Clause License

Copyright (c) 2017, Baidu Inc.
All rights reserved.

Redistribution and use in source and binary forms, with or without
modification, are permitted provided that the following conditions are met:

* Redistributions of source code must retain the above copyright notice, this
  list of conditions and the following disclaimer.

* Redistributions in binary form must reproduce the above copyright notice,
  this list of conditions and the following disclaimer in the documentation
  and/or other materials provided with the distribution.

* Neither the name of the copyright holder nor the names of its
  contributors may be used to endorse or promote products derived from
  this software without specific prior written permission.

THIS SOFTWARE IS PROVIDED BY THE COPYRIGHT HOLDERS AND CONTRIBUTORS "AS IS"
AND ANY EXPRESS OR IMPLIED WARRANTIES, INCLUDING, BUT NOT LIMITED TO, THE
IMPLIED WARRANTIES OF MERCHANTABILITY AND FITNESS FOR A PARTICULAR PURPOSE ARE
DISCLAIMED. IN NO EVENT SHALL THE COPYRIGHT HOLDER OR CONTRIBUTORS BE LIABLE
FOR ANY DIRECT, INDIRECT, INCIDENTAL, SPECIAL, EXEMPLARY, OR CONSEQUENTIAL
DAMAGES (INCLUDING, BUT NOT LIMITED TO, PROCUREMENT OF SUBSTITUTE GOODS OR
SERVICES; LOSS OF USE, DATA, OR PROFITS; OR BUSINESS INTERRUPTION) HOWEVER
CAUSED AND ON ANY THEORY OF LIABILITY, WHETHER IN CONTRACT, STRICT LIABILITY,
OR TORT (INCLUDING NEGLIGENCE OR OTHERWISE) ARISING IN ANY WAY OUT OF THE USE
OF THIS SOFTWARE, EVEN IF ADVISED OF THE POSSIBILITY OF SUCH DAMAGE.
*/
// What the page does with script: draw the charts from the options beside them, switch light and dark, open what a
// link points into, prepare for print, and save the records. Without script all text and all tables are there.
import * as echarts from 'echarts/core';
import { BarChart, CustomChart, LineChart, ScatterChart } from 'echarts/charts';
import { GridComponent, TooltipComponent } from 'echarts/components';
import { LabelLayout } from 'echarts/features';
import { SVGRenderer } from 'echarts/renderers';

echarts.use([BarChart, CustomChart, LineChart, ScatterChart, GridComponent, TooltipComponent, LabelLayout, SVGRenderer]);
// ECharts takes the width of this character for the height of a line. A system without Chinese fonts draws a box of 7 px
// in its place at 12 px: names were thought that high, and one was printed over the other.
const pen = document.createElement('canvas').getContext('2d');
echarts.setPlatformAPI({
  measureText: (text, font) => {
    if (text === '国') return { width: parseFloat(/([\d.]+)px/.exec(font)?.[1] ?? 12) };
    pen.font = font;
    return pen.measureText(text);
  },
});

const cross = 'path://M2,0 L6,4 L10,0 L12,2 L8,6 L12,10 L10,12 L6,8 L2,12 L0,10 L4,6 L0,2 Z';

/** A colour of the style sheet as the browser computes it now: light-dark() is resolved only in a real property. */
function colour(name) {
  const probe = document.getElementById('probe');
  probe.style.color = `var(--${name})`;
  return getComputedStyle(probe).color;
}

function theme() {
  const colours = { series: [] };
  for (let i = 0; i < 7; i++) colours.series.push(colour(`series-${i}`));
  for (const name of ['ink', 'muted', 'rule', 'paper', 'contradicted', 'unproven']) colours[name] = colour(name);
  return colours;
}

const prefixes = [[1e9, 'G'], [1e6, 'M'], [1e3, 'k'], [1, '']];
function short(value) {
  for (const [size, letter] of prefixes)
    if (Math.abs(value) >= size) return `${+(value / size).toPrecision(3)}${letter}`;
  return `${+value.toPrecision(3)}`;
}

const time = ns => ns === 0 ? '0'
  : ns >= 1e9 ? `${+(ns / 1e9).toPrecision(3)} s`
  : ns >= 1e6 ? `${+(ns / 1e6).toPrecision(3)} ms`
  : ns >= 1e3 ? `${+(ns / 1e3).toPrecision(3)} µs` : `${+ns.toPrecision(3)} ns`;

const binary = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
function size(value) {
  const power = value < 1 ? 0 : Math.min(binary.length - 1, Math.floor(Math.log2(value) / 10));
  return `${+(value / 1024 ** power).toPrecision(3)} ${binary[power]}`;
}

// Only for the ticks of an axis; every figure that is a result was written by the report itself.
const ticks = {
  bytesPerSecond: value => value === 0 ? '0' : `${short(value)}B/s`.replace(/(\d)([GMk]?)B/, '$1 $2B'),
  bytes: size,
  nanoseconds: time,
  milliseconds: value => time(value * 1e6),
  seconds: value => time(value * 1e9),
  share: value => value === 0 ? '0' : `${+(value * 100).toPrecision(3)} %`,
  nines: value => `${+((1 - 1 / value) * 100).toFixed(6)} %`,
  cpuSecondsPerGB: value => `${+value.toPrecision(3)}`,
  costRatio: value => `${+value.toPrecision(3)}×`,
};

/** Error bars, and the figure at the end of a bar: [category, value, low, high]. */
function whisker(params, api, series, look) {
  const rows = series.bench.rows;
  const value = api.value(1), low = api.value(2), high = api.value(3);
  const at = v => rows ? api.coord([v, api.value(0)]) : api.coord([api.value(0), v]);
  let offset = 0;
  if (series.bench.count > 0)
    offset = api.barLayout({ count: series.bench.count, ...series.bench.layout })[series.bench.index].offsetCenter;
  const children = [];
  const line = (x1, y1, x2, y2) => children.push({ type: 'line', silent: true, shape: { x1, y1, x2, y2 },
    style: { stroke: look.stroke, lineWidth: 1.25 } });
  let end = at(value);
  if (!Number.isNaN(low) && !Number.isNaN(high)) {
    const a = at(low), b = at(high), cap = 4;
    if (rows) {
      const y = a[1] + offset;
      line(a[0], y, b[0], y); line(a[0], y - cap, a[0], y + cap); line(b[0], y - cap, b[0], y + cap);
      if (b[0] > end[0]) end = b;
    } else {
      const x = a[0] + offset;
      line(x, a[1], x, b[1]); line(x - cap, a[1], x + cap, a[1]); line(x - cap, b[1], x + cap, b[1]);
    }
  }
  const text = series.data[params.dataIndex].text;
  if (text)
    children.push({ type: 'text', silent: true, style: { text, x: end[0] + 7, y: end[1] + offset, fill: look.fill,
      textVerticalAlign: 'middle', font: look.font } });
  return { type: 'group', children };
}

/** A figure of somebody else: a tick across the row, and its text below the bar. */
function reference(params, api, series, look) {
  const item = series.data[params.dataIndex];
  const [x, y] = api.coord([api.value(1), api.value(0)]);
  const half = Math.abs(api.size([0, 1])[1]) / 2;
  const left = item.side === 'left';
  const children = [{ type: 'line', shape: { x1: x, x2: x, y1: y - 11, y2: y + half - 2 },
    style: { stroke: look.fill, lineWidth: 2 } }];
  if (look.wide)
    children.push({ type: 'text', style: { text: item.text, x: x + (left ? -5 : 5), y: y + half - 2, fill: look.fill,
      textAlign: left ? 'right' : 'left', textVerticalAlign: 'bottom', font: look.small } });
  return { type: 'group', children };
}

const channels = text => text.match(/[\d.]+/g).slice(0, 3).map(Number);
const mixed = (from, to, share) => `rgb(${channels(from).map((c, i) => Math.round(c + (channels(to)[i] - c) * share)).join(', ')})`;

/** Black or white, whichever can be read: one of the two has a contrast of at least 4.5 with every colour. */
function inkOn(fill) {
  const [r, g, b] = channels(fill).map(c => (c /= 255) <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
  return 0.2126 * r + 0.7152 * g + 0.0722 * b > 0.179 ? '#000' : '#fff';
}

/** One cell of a heat map; a contradicted one is hatched instead of coloured. */
function cell(params, api, series, look) {
  const item = series.data[params.dataIndex];
  const [middle, centre] = api.coord([api.value(0), api.value(1)]);
  const [width, height] = api.size([1, 1]).map(length => Math.abs(length) - 2);
  const x = middle - width / 2, y = centre - height / 2;
  const spoiled = item.verdict === 'contradicted';
  // The palest is not the paper: a cell that is there differs from one that is not.
  const fill = spoiled ? look.paper : mixed(look.paper, look.own, 0.07 + 0.93 * item.heat);
  const children = [{ type: 'rect', shape: { x, y, width, height }, style: spoiled
    ? { fill, stroke: look.contradicted, lineWidth: 1.5, lineDash: [4, 3] } : { fill } }];
  if (spoiled)
    for (let at = 9; at < width + height; at += 9)
      children.push({ type: 'line', silent: true, style: { fill: 'none', stroke: look.contradicted, lineWidth: 1, opacity: 0.35 }, shape: {
        x1: x + Math.min(at, width), y1: y + Math.max(0, at - width), x2: x + Math.max(0, at - height), y2: y + Math.min(at, height) } });
  // A figure that is too wide for its cell stands above its unit.
  const space = item.text.lastIndexOf(' ');
  const text = width < item.text.length * 6.8 + 6 && space > 1 ? `${item.text.slice(0, space)}\n${item.text.slice(space + 1)}` : item.text;
  children.push({ type: 'text', silent: true, style: { text, x: middle, y: centre, textAlign: 'center', textVerticalAlign: 'middle',
    font: width < 66 ? look.small : look.font, lineHeight: 14, fill: spoiled ? look.contradicted : inkOn(fill),
    ...(spoiled ? { stroke: look.paper, lineWidth: 4 } : {}) } });
  return { type: 'group', children };
}

/** A flush or a roll in its lane: [start, lane, end]; a roll also as a line up through the panels. */
function moment(params, api, series, look) {
  const lane = api.value(1), area = params.coordSys;
  const [from, y] = api.coord([api.value(0), lane]);
  const width = Math.max(1.5, api.coord([api.value(2), lane])[0] - from);
  const height = Math.abs(api.size([0, 1])[1]) * 0.66;
  const children = [{ type: 'rect', shape: { x: from, y: y - height / 2, width: Math.min(width, area.x + area.width - from + 1), height },
    style: { fill: look.own, opacity: 0.8 } }];
  if (lane === series.bench.rules)
    children.unshift({ type: 'line', silent: true, shape: { x1: from, x2: from, y1: series.bench.top, y2: y },
      style: { fill: 'none', stroke: look.muted, lineWidth: 1, lineDash: [2, 3], opacity: 0.8 } });
  return { type: 'group', children };
}

/** The range that does not matter, the line of no change, and that of the estimate: [low, high, line, estimate]. */
function band(params, api, series, look) {
  const { x, y, width, height } = params.coordSys, rows = series.bench.rows;
  const at = v => rows ? Math.min(x + width, Math.max(x, api.coord([v, 0])[0])) : Math.min(y + height, Math.max(y, api.coord([0, v])[1]));
  const [from, to] = [at(api.value(0)), at(api.value(1))].sort((a, b) => a - b);
  const rule = (v, style) => ({ type: 'line', shape: rows ? { x1: at(v), x2: at(v), y1: y, y2: y + height } : { x1: x, x2: x + width, y1: at(v), y2: at(v) },
    style: { fill: 'none', ...style } });
  const children = [
    { type: 'rect', shape: rows ? { x: from, y, width: to - from, height } : { x, y: from, width, height: to - from },
      style: { fill: mixed(look.paper, look.muted, 0.14) } },
    rule(api.value(2), { stroke: look.muted, lineWidth: 1 })];
  if (!Number.isNaN(api.value(3)))
    children.push(rule(api.value(3), { stroke: look.fill, lineWidth: 1.5, lineDash: [6, 4] }));
  return { type: 'group', silent: true, children };
}

/** An estimate with its interval: [row, ratio, low, high]; an end beyond the axis is an arrow. */
function forest(params, api, series, look) {
  const item = series.data[params.dataIndex], area = params.coordSys;
  const [x, y] = api.coord([api.value(1), api.value(0)]);
  const right = area.x + area.width;
  const children = [];
  const line = (x1, y1, x2, y2) => children.push({ type: 'line', shape: { x1, y1, x2, y2 }, style: { fill: 'none', stroke: look.own, lineWidth: 2 } });
  const end = (v, beyond, direction) => {
    if (Number.isNaN(v) || beyond(api.coord([v, 0])[0])) {
      const edge = direction < 0 ? area.x : right;
      line(edge, y, edge - direction * 6, y - 4);
      line(edge, y, edge - direction * 6, y + 4);
      return edge;
    }
    const at = api.coord([v, 0])[0];
    line(at, y - 4, at, y + 4);
    return at;
  };
  const low = end(api.value(2), at => at < area.x, -1), high = end(api.value(3), at => at > right, 1);
  line(low, y, high, y);
  const size = 12;
  children.push({ type: 'path', shape: { pathData: series.bench.mark, x: x - size / 2, y: y - size / 2, width: size, height: size },
    style: series.bench.hollow ? { fill: look.paper, stroke: look.own, lineWidth: 2 } : { fill: look.own, stroke: look.paper, lineWidth: 1 } });
  children.push({ type: 'text', style: { text: item.text, x: Math.max(high, x + size / 2) + 7, y, fill: look.fill, textVerticalAlign: 'middle', font: look.font } });
  return { type: 'group', children };
}

/** The option as it lies in the page, with what JSON cannot say: colours of the theme, and functions. */
function complete(option, width) {
  const t = theme();
  const family = getComputedStyle(document.body).fontFamily;
  const wide = width >= 460;
  const look = { font: `12px ${family}`, small: `11px ${family}`, wide };
  const { bench } = option;
  const all = axes => Array.isArray(axes) ? axes : [axes];
  for (const [axes, unit] of [[option.xAxis, bench.x], [option.yAxis, bench.y]])
    for (const axis of all(axes)) {
      axis.axisLabel = { ...axis.axisLabel, color: t.ink, fontFamily: family, fontSize: 12 };
      if (axis.bench) axis.axisLabel.formatter = place => axis.bench[place] ?? '';
      else if (axis.type !== 'category') axis.axisLabel.formatter = ticks[axis.unit ?? unit] ?? short;
      // Names above their rows: what is wider than the picture ends in dots; the table below has it whole.
      if (axis.axisLabel.inside) Object.assign(axis.axisLabel, { width: width - 12, overflow: 'truncate' });
      axis.axisLine = { ...axis.axisLine, lineStyle: { color: t.rule } };
      axis.splitLine = { ...axis.splitLine, lineStyle: { color: t.rule, width: 1 } };
      axis.nameTextStyle = { ...axis.nameTextStyle, color: t.muted, fontFamily: family, fontSize: 12 };
    }
  // Where there is room the names of a forest's rows stand beside it, and the rows need half the height.
  if (bench.forest && width >= beside) {
    const space = Math.min(width * 0.46, Math.max(...option.yAxis.data.map(name => name.length)) * 6.3 + 18);
    option.grid.left = space;
    option.yAxis.axisLabel = { ...option.yAxis.axisLabel, inside: false, align: 'right', verticalAlign: 'middle', padding: 0, margin: 10, width: space - 14, overflow: 'truncate' };
  }
  if (!wide && option.series.some(series => series.bench.heat))
    option.yAxis.axisLabel = { ...option.yAxis.axisLabel, width: 74, overflow: 'break', lineHeight: 15 };
  for (const series of option.series) {
    const b = series.bench;
    const own = t.series[b.color % t.series.length];
    if (series.type === 'custom') {
      const draw = b.heat ? cell : b.event ? moment : b.band ? band : b.forest ? forest : b.reference ? reference : whisker;
      const style = { ...look, stroke: b.overBar ? t.ink : own, fill: t.ink, own, paper: t.paper, muted: t.muted, contradicted: t.contradicted };
      series.renderItem = (params, api) => draw(params, api, series, style);
      continue;
    }
    series.itemStyle = b.hollow ? { ...series.itemStyle, color: t.paper, borderColor: own, borderWidth: 2 } : { ...series.itemStyle, color: own };
    if (series.label)
      series.label = { ...series.label, color: t.ink, fontFamily: family, fontSize: 12 };
    if (series.type === 'line') {
      series.lineStyle = { color: own, width: series.step ? 1.5 : 2, type: b.dash.length ? b.dash : 'solid' };
      if (b.verdict === 'contradicted')
        // In its own colour: in red, the series of a contradicted case could not be told apart. The legend says what the dots mean.
        series.lineStyle = { color: own, width: 1.5, type: [3, 3] };
    }
    // A point without a tip is a place of the line and nothing more.
    if (series.showSymbol !== false)
      series.data = series.data.map(item => Array.isArray(item) ? { value: item, symbol: 'none' } : item);
    for (const item of series.data) {
      if (item.verdict === 'contradicted') {
        if (series.type === 'bar')
          item.itemStyle = { color: t.paper, borderColor: t.contradicted, borderWidth: 1.5, borderType: 'dashed' };
        else {
          item.symbol = cross;
          item.symbolSize = 12;
          item.itemStyle = { color: t.paper, borderColor: t.contradicted, borderWidth: 1.5 };
        }
      } else if (item.verdict === 'unproven') {
        item.itemStyle = { color: t.paper, borderColor: own, borderWidth: 2 };
      }
    }
  }
  option.tooltip = { trigger: 'item', confine: true, backgroundColor: t.paper, borderColor: t.rule,
    textStyle: { color: t.ink, fontFamily: family, fontSize: 13 }, renderMode: 'richText',
    formatter: params => params.data?.tip ?? '' };
  option.textStyle = { fontFamily: family };
  return option;
}

const apart = (a, b) => a.left >= b.right || b.left >= a.right || a.top >= b.bottom || b.top >= a.bottom;

/**
 * Places the names of points, those of the foremost first: right of the point, or left, above or below, wherever no name
 * and no point is in the way. The foremost have a name even if it lies over a point or another name; the others are left to their tips then.
 */
function nameDots(chart, option) {
  const dots = option.series.flatMap((series, i) => series.type !== 'scatter' || !series.label ? [] : series.data.map(item => {
    const [x, y] = chart.convertToPixel({ seriesIndex: i }, item.value);
    return { item, x, y, box: { left: x - 6, right: x + 6, top: y - 6, bottom: y + 6 }, named: series.label.show, font: `${series.label.fontSize}px ${series.label.fontFamily}` };
  }));
  // Not on the figures of an axis, nor on its line.
  const paper = { left: chart.convertToPixel({ xAxisIndex: 0 }, option.xAxis.min), right: chart.getWidth(), bottom: chart.convertToPixel({ yAxisIndex: 0 }, option.yAxis.min) };
  const names = [];
  for (const dot of dots.filter(({ named, item }) => named || item.foremost).sort((a, b) => !!b.item.foremost - !!a.item.foremost)) {
    pen.font = dot.font;
    const width = pen.measureText(dot.item.name).width, { x, y } = dot;
    const places = [['right', x + 9, y - 8], ['left', x - 9 - width, y - 8], ['top', x - width / 2, y - 25], ['bottom', x - width / 2, y + 9]]
      .map(([position, left, top]) => ({ position, box: { left, right: left + width, top, bottom: top + 16 } }))
      .filter(({ box }) => box.left >= paper.left && box.right <= paper.right && box.top >= 0 && box.bottom <= paper.bottom);
    const clear = places.filter(({ box }) => names.every(name => apart(box, name)));
    const place = clear.find(({ box }) => dots.every(other => apart(box, other.box))) ?? (dot.item.foremost ? clear[0] ?? places[0] : undefined);
    dot.item.label = place ? { show: true, position: place.position, distance: 4 } : { show: false };
    if (place) names.push(place.box);
  }
  chart.setOption(option, { notMerge: true });
}

const beside = 620;
const drawn = new Map();

/** The text of gzip in Base64. */
const gunzip = packed => new Response(new Blob([Uint8Array.from(atob(packed), c => c.charCodeAt(0))]).stream().pipeThrough(new DecompressionStream('gzip'))).text();

const optionOf = plot => document.getElementById(`${plot.id}-option`);
const isPacked = plot => optionOf(plot).type === 'application/gzip';

/** Puts the option of a very large page's chart where the option of any other page is. */
async function unpack(plot) {
  const option = optionOf(plot);
  option.textContent = await gunzip(option.textContent);
  option.type = 'application/json';
}

function draw(plot, paperWidth) {
  if (isPacked(plot)) {
    unpack(plot).then(() => draw(plot, paperWidth));
    return;
  }
  const width = paperWidth ?? plot.clientWidth;
  const option = complete(JSON.parse(optionOf(plot).textContent), width);
  if (option.bench.forest)
    plot.style.height = `${48 + option.yAxis.data.length * (width >= beside ? 27 : 40)}px`;
  let chart = drawn.get(plot);
  if (!chart) {
    chart = echarts.init(plot, null, { renderer: 'svg' });
    drawn.set(plot, chart);
  }
  chart.resize({ width: paperWidth ?? 'auto' });
  chart.setOption(option, { notMerge: true });
  if (option.series.some(series => series.type === 'scatter' && series.label))
    nameDots(chart, option);
}

const plots = [...document.querySelectorAll('.plot')];
// What nobody waits for, one after the other, after all that somebody waits for. Safari has no idle callbacks.
const whenIdle = work => (window.requestIdleCallback ?? setTimeout)(work, { timeout: 500 });
async function oneByOne(works) {
  for (const work of works) {
    await new Promise(whenIdle);
    await work();
  }
}
let redrawExplored = () => {};
// Of very many charts, or of fewer with very many points, only those are drawn that have come near the screen, and all for paper.
const many = plots.length > 150 || plots.some(isPacked) || plots.reduce((sum, plot) => sum + optionOf(plot).textContent.length, 0) > 2e6;
// And the browser lays out and colours only those: of a page with thousands of series, switching to dark was five times as slow.
document.documentElement.classList.toggle('many', many);
function drawAll(paperWidth) {
  if (many && !paperWidth) {
    // What is on the screen at once, the rest of what was drawn one after the other, so that a click is answered first.
    const seen = plot => { const box = plot.getBoundingClientRect(); return box.bottom > 0 && box.top < innerHeight; };
    const rest = [];
    for (const plot of drawn.keys()) seen(plot) ? draw(plot) : rest.push(() => draw(plot));
    oneByOne([...rest, redrawExplored]);
    return;
  }
  plots.forEach(plot => draw(plot, paperWidth));
  redrawExplored();
}
if (many) {
  const near = new IntersectionObserver(entries => entries.filter(entry => entry.isIntersecting).forEach(entry => {
    near.unobserve(entry.target);
    draw(entry.target);
  }), { rootMargin: '800px' });
  plots.forEach(plot => near.observe(plot));
  // Paper waits for nothing, so all are there before it can be asked for.
  oneByOne(plots.map(plot => () => isPacked(plot) && unpack(plot)));
}

/** The chart whose axes the reader chooses: a parameter along, another as series, the others held. */
function explore() {
  const section = document.getElementById('explore');
  if (!section) return;
  section.hidden = false;
  const data = JSON.parse(document.getElementById('explore-data').textContent);
  const form = document.getElementById('explore-form'), plot = document.getElementById('explore-plot');
  const legend = document.getElementById('explore-legend'), said = document.getElementById('explore-said');
  const choose = (id, name, options, chosen) => {
    const label = document.createElement('label'), select = document.createElement('select');
    select.id = `explore-${id}`;
    options.forEach(([value, text]) => select.append(new Option(text, value, false, value === chosen)));
    label.append(name, select);
    form.append(label);
    return select;
  };
  let chart, held = [];
  const workload = choose('workload', 'Workload', data.workloads.map((one, i) => [`${i}`, one.name]), '0');
  const figure = choose('figure', 'Figure', data.figures.map((one, i) => [`${i}`, one.name]), '0');
  const along = choose('along', 'Along', [], ''), by = choose('by', 'Series', [], '');

  /** The cases of the workload that have the figure. */
  const having = () => data.workloads[workload.value].cases.filter(one => one[3 + 2 * figure.value] !== null);

  /** The choices of a workload: its parameters, and at first the two that show the most cases. */
  function fill() {
    const { parameters, cases } = data.workloads[workload.value];
    for (const [i, option] of [...figure.options].entries()) option.disabled = cases.every(one => one[3 + 2 * i] === null);
    if (figure.selectedOptions[0].disabled) figure.value = [...figure.options].find(option => !option.disabled)?.value ?? 0;
    const order = parameters.map((_, i) => i).sort((a, b) => parameters[b].values.length - parameters[a].values.length);
    along.replaceChildren(...order.map(i => new Option(parameters[i].name, i)));
    by.replaceChildren(new Option('nothing', -1), ...order.map(i => new Option(parameters[i].name, i)));
    let most = -1;
    order.forEach((x, i) => order.slice(i + 1).forEach(series => {
      const left = settle([x, series], new Map()).left.length;
      if (left > most) [most, along.value, by.value] = [left, x, series];
    }));
    hold(new Map());
  }

  /** Whether a case has a value of a parameter, or the parameter does not apply to it. */
  function goes(one, i, value) {
    return one[2][i] === value || one[2][i] === data.workloads[workload.value].parameters[i].free;
  }

  /**
   * A value for every parameter that is on no axis: the one that is wanted if any case is left with it, else the one with
   * the most cases. Those that stand first in the map are wanted most.
   */
  function settle(axes, wanted) {
    const { parameters } = data.workloads[workload.value];
    let left = having();
    const values = new Map();
    const order = [...wanted.keys(), ...parameters.keys()];
    for (const i of new Set(order.filter(i => !axes.includes(i)))) {
      const counts = parameters[i].values.map(() => 0);
      for (const one of left) counts[one[2][i]]++;
      if (parameters[i].free >= 0) counts[parameters[i].free] = -1;
      const value = counts[wanted.get(i)] > 0 ? wanted.get(i) : counts.indexOf(Math.max(...counts));
      left = left.filter(one => goes(one, i, value));
      values.set(i, value);
    }
    return { left, values };
  }

  /** A control for every parameter that is on no axis, with the values that any case has. */
  function hold(wanted = new Map(held.map(([i, select]) => [i, +select.value]))) {
    held.forEach(([, select]) => select.parentElement.remove());
    const { parameters } = data.workloads[workload.value];
    const { values } = settle([+along.value, +by.value], wanted);
    held = [...values].sort(([a], [b]) => a - b).map(([i, value]) => {
      const there = new Set(having().map(one => one[2][i]));
      const select = choose(`held-${i}`, parameters[i].name, parameters[i].values.map((text, v) => [`${v}`, text]).filter(([v]) => +v !== parameters[i].free && there.has(+v)), `${value}`);
      // What was chosen holds; of the others those move that no case goes with.
      select.addEventListener('change', () => {
        const others = held.filter(([, other]) => other !== select).map(([other, its]) => [other, +its.value]);
        const settled = settle([+along.value, +by.value], new Map([[i, +select.value], ...others])).values;
        held.forEach(([other, its]) => { its.value = settled.get(other); });
        show();
      });
      return [i, select];
    });
    show();
  }

  function show() {
    const { name, parameters, cases } = data.workloads[workload.value];
    const x = +along.value, series = +by.value, at = 3 + 2 * figure.value, unit = data.figures[figure.value].unit;
    const shown = having().filter(one => held.every(([i, select]) => goes(one, i, +select.value)));
    const lines = new Map();
    for (const one of shown) {
      const value = series < 0 ? -1 : one[2][series], key = `${one[0]}/${value}`;
      if (!lines.has(key))
        lines.set(key, { run: one[0], value, colour: series < 0 ? one[0] : value, name: [data.runs[one[0]], series < 0 ? '' : parameters[series].values[value]].filter(text => text).join(': ') || name, points: [] });
      lines.get(key).points.push(one);
    }
    const all = [...lines.values()].sort((a, b) => a.value - b.value || a.run - b.run);
    const shape = line => data.shapes[line.colour % data.shapes.length], dash = line => data.dashes[line.run % data.dashes.length];
    const values = shown.map(one => one[at]);
    const log = values.length > 0 && Math.max(...values) / Math.min(...values) > 20;
    const places = parameters[x].values;
    const option = {
      bench: { x: 'number', y: unit }, animation: false, grid: { left: 4, right: 8, top: 12, bottom: 36 },
      xAxis: { type: 'value', name: parameters[x].name, nameLocation: 'middle', nameGap: 28, min: -0.5, max: places.length - 0.5, bench: places,
        axisLabel: { customValues: places.map((_, i) => i), interval: 0 }, axisTick: { show: false }, splitLine: { show: false } },
      yAxis: { type: log ? 'log' : 'value', ...(log ? {} : { min: 0 }), axisLabel: { hideOverlap: true, margin: 10 }, axisTick: { show: false }, axisLine: { show: false } },
      series: all.flatMap(line => {
        const points = line.points.sort((a, b) => a[2][x] - b[2][x]).map(one => ({ value: [one[2][x], one[at]], verdict: one[1],
          tip: `${line.name}\n${places[one[2][x]]}: ${one[at + 1]}${one[1] === 'proven' ? '' : `\n${one[1]}`}` }));
        const isApart = one => one.verdict === 'contradicted', bench = { color: line.colour, dash: dash(line) };
        // No line joins a contradicted point (EChartsOptions.Apart).
        return [
          { type: 'line', name: line.name, symbol: `path://${shape(line)}`, symbolSize: 9, showAllSymbol: true, bench,
            data: points.map(one => isApart(one) ? { value: [one.value[0], '-'] } : one) },
          ...(points.some(isApart) ? [{ type: 'scatter', name: line.name, bench, data: points.filter(isApart) }] : []),
        ];
      }),
    };
    chart ??= echarts.init(plot, null, { renderer: 'svg' });
    chart.resize();
    chart.setOption(complete(option, plot.clientWidth), { notMerge: true });
    const sign = (words, svg, kind) => {
      const item = document.createElement('li');
      item.innerHTML = svg;
      if (kind) item.className = kind;
      item.append(words);
      return item;
    };
    // As the legends of the other charts (HtmlParts.Legend).
    legend.replaceChildren(
      ...(all.length < 2 ? [] : all.map(line => sign(line.name, `<svg width="30" height="12" class="s${line.colour % 7}" aria-hidden="true"><line x1="0" y1="6" x2="30" y2="6" stroke-dasharray="${dash(line).join(' ')}"/><path transform="translate(10.5 1.5) scale(.75)" d="${shape(line)}"/></svg>`))),
      ...[['contradicted', '✗ contradicted'], ['unproven', 'hollow: unproven']].filter(([verdict]) => shown.some(one => one[1] === verdict))
        .map(([verdict, words]) => sign('', `<span class="verdict">${words}</span>`, verdict)));
    said.textContent = `${shown.length} of ${cases.length} cases of ${name}: ${data.figures[figure.value].name.toLowerCase()} along ${parameters[x].name.toLowerCase()}${log ? ', logarithmic' : ''}.`;
    plot.setAttribute('aria-label', `${said.textContent} ${all.map(line => `${line.name}: ${line.points.map(one => `${places[one[2][x]]} ${one[at + 1]}`).join(', ')}`).join('; ')}`);
  }

  workload.addEventListener('change', fill);
  figure.addEventListener('change', () => hold());
  // Nothing is on both axes.
  along.addEventListener('change', () => { if (by.value === along.value) by.value = -1; hold(); });
  by.addEventListener('change', () => {
    if (by.value === along.value) along.value = [...along.options].map(one => one.value).find(value => value !== by.value);
    hold();
  });
  redrawExplored = show;
  fill();
}

function dark() {
  const chosen = document.documentElement.dataset.theme;
  return chosen ? chosen === 'dark' : matchMedia('(prefers-color-scheme: dark)').matches;
}

function toggle() {
  const button = document.getElementById('theme');
  const say = () => {
    button.textContent = dark() ? 'Light' : 'Dark';
    button.setAttribute('aria-label', dark() ? 'Switch to light colours' : 'Switch to dark colours');
  };
  button.hidden = false;
  button.addEventListener('click', () => {
    document.documentElement.dataset.theme = dark() ? 'light' : 'dark';
    say();
    drawAll();
  });
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => { say(); drawAll(); });
  say();
}

/** A link into a closed <details> opens it. */
function openTarget() {
  let element = location.hash.length > 1 && document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (!element) return;
  const target = element;
  for (; element; element = element.parentElement)
    if (element.tagName === 'DETAILS') element.open = true;
  target.scrollIntoView();
}

/** The data are in the page as a gzip data link, which works without script; with script they are saved as text. */
function records() {
  const link = document.getElementById('records');
  const text = () => gunzip(link.href.slice(link.href.indexOf(',') + 1));
  const save = document.getElementById('save'), copy = document.getElementById('copy');
  save.hidden = copy.hidden = false;
  save.addEventListener('click', async () => {
    const url = URL.createObjectURL(new Blob([await text()], { type: 'application/x-ndjson' }));
    const anchor = Object.assign(document.createElement('a'), { href: url, download: link.download.replace(/\.gz$/, '') });
    anchor.click();
    setTimeout(() => URL.revokeObjectURL(url), 10_000);
  });
  copy.addEventListener('click', async () => {
    const said = document.getElementById('said');
    try {
      await navigator.clipboard.writeText(await text());
      said.textContent = 'Copied.';
    } catch {
      said.textContent = 'This browser does not let a file copy; save the file instead.';
    }
  });
}

// Paper is white whatever the screen is, and as wide as A4 and Letter within their margins.
const paperPixels = 680;
let opened = [], chosen;
addEventListener('beforeprint', () => {
  opened = [...document.querySelectorAll('details:not([open])')];
  opened.forEach(details => { details.open = true; });
  chosen = document.documentElement.dataset.theme;
  document.documentElement.dataset.theme = 'light';
  drawAll(paperPixels);
});
addEventListener('afterprint', () => {
  opened.forEach(details => { details.open = false; });
  if (chosen) document.documentElement.dataset.theme = chosen;
  else delete document.documentElement.dataset.theme;
  drawAll();
});
addEventListener('hashchange', openTarget);

toggle();
records();
explore();
drawAll();
openTarget();
let width = innerWidth;
addEventListener('resize', () => {
  if (innerWidth === width) return;
  width = innerWidth;
  drawAll();
});
document.documentElement.dataset.drawn = String(plots.length);
