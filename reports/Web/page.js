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
import { SVGRenderer } from 'echarts/renderers';

echarts.use([BarChart, CustomChart, LineChart, ScatterChart, GridComponent, TooltipComponent, SVGRenderer]);

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

// Only for the ticks of an axis; every figure that is a result was written by the report itself.
const ticks = {
  bytesPerSecond: value => value === 0 ? '0' : `${short(value)}B/s`.replace(/(\d)([GMk]?)B/, '$1 $2B'),
  nanoseconds: value => value === 0 ? '0'
    : value >= 1e9 ? `${+(value / 1e9).toPrecision(3)} s`
    : value >= 1e6 ? `${+(value / 1e6).toPrecision(3)} ms`
    : value >= 1e3 ? `${+(value / 1e3).toPrecision(3)} µs` : `${+value.toPrecision(3)} ns`,
  nines: value => `${+((1 - 1 / value) * 100).toFixed(6)} %`,
  cpuSecondsPerGB: value => `${+value.toPrecision(3)}`,
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

/** The option as it lies in the page, with what JSON cannot say: colours of the theme, and functions. */
function complete(option, width) {
  const t = theme();
  const family = getComputedStyle(document.body).fontFamily;
  const wide = width >= 460;
  const look = { font: `12px ${family}`, small: `11px ${family}`, wide };
  const { bench } = option;
  for (const [axis, unit] of [[option.xAxis, bench.x], [option.yAxis, bench.y]]) {
    axis.axisLabel = { ...axis.axisLabel, color: t.ink, fontFamily: family, fontSize: 12 };
    if (axis.bench) axis.axisLabel.formatter = place => axis.bench[place] ?? '';
    else if (axis.type !== 'category') axis.axisLabel.formatter = ticks[unit] ?? short;
    axis.axisLine = { ...axis.axisLine, lineStyle: { color: t.rule } };
    axis.splitLine = { ...axis.splitLine, lineStyle: { color: t.rule, width: 1 } };
    axis.nameTextStyle = { ...axis.nameTextStyle, color: t.muted, fontFamily: family, fontSize: 12 };
  }
  for (const series of option.series) {
    const b = series.bench;
    const own = t.series[b.color % t.series.length];
    if (series.type === 'custom') {
      const draw = b.reference ? reference : whisker;
      const style = { ...look, stroke: b.overBar ? t.ink : own, fill: t.ink };
      series.renderItem = (params, api) => draw(params, api, series, style);
      continue;
    }
    series.itemStyle = { ...series.itemStyle, color: own };
    if (series.type === 'line') {
      series.lineStyle = { color: own, width: 2, type: b.dash.length ? b.dash : 'solid' };
    }
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

const drawn = new Map();

function draw(plot, paperWidth) {
  const json = document.getElementById(`${plot.id}-option`).textContent;
  const option = complete(JSON.parse(json), paperWidth ?? plot.clientWidth);
  let chart = drawn.get(plot);
  if (!chart) {
    chart = echarts.init(plot, null, { renderer: 'svg' });
    drawn.set(plot, chart);
  }
  chart.resize({ width: paperWidth ?? 'auto' });
  chart.setOption(option, { notMerge: true });
}

const plots = [...document.querySelectorAll('.plot')];
const drawAll = paperWidth => plots.forEach(plot => draw(plot, paperWidth));

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

/** The records are in the page as a gzip data link, which works without script; with script they are saved as text. */
function records() {
  const link = document.getElementById('records');
  const bytes = () => Uint8Array.from(atob(link.href.slice(link.href.indexOf(',') + 1)), c => c.charCodeAt(0));
  const text = () => new Response(new Blob([bytes()]).stream().pipeThrough(new DecompressionStream('gzip'))).text();
  const save = document.getElementById('save'), copy = document.getElementById('copy');
  save.hidden = copy.hidden = false;
  save.addEventListener('click', async () => {
    const url = URL.createObjectURL(new Blob([await text()], { type: 'application/x-ndjson' }));
    const anchor = Object.assign(document.createElement('a'), { href: url, download: 'records.jsonl' });
    anchor.click();
    setTimeout(() => URL.revokeObjectURL(url), 10_000);
  });
  copy.addEventListener('click', async () => {
    const said = document.getElementById('said');
    try {
      await navigator.clipboard.writeText(await text());
      said.textContent = 'Copied.';
    } catch {
      said.textContent = 'This browser does not let a file copy; save the records instead.';
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
drawAll();
openTarget();
let width = innerWidth;
addEventListener('resize', () => {
  if (innerWidth === width) return;
  width = innerWidth;
  drawAll();
});
document.documentElement.dataset.drawn = String(plots.length);
