// How far an upload is: a bar, rows or bytes, rate, time left, and a way to stop.
import type { UploadProgress } from './api';
import { fill, h } from './dom';
import { count, num, t } from './i18n';

export class Progress {
  readonly element: HTMLElement;
  private readonly bar = h('span');
  private readonly track = h('div', { class: 'progress', role: 'progressbar', 'aria-valuemin': 0, 'aria-valuemax': 100, 'aria-label': t('upload.sending') }, this.bar);
  private readonly line = h('span', { class: 'small muted' });

  constructor(cancel: () => void) {
    this.element = h('div', { class: 'progress-box', hidden: true }, this.track, this.line,
      h('button', { type: 'button', class: 'button ghost small', id: 'upload-cancel', onclick: cancel }, t('upload.cancel')));
  }

  show(p: UploadProgress | null): void {
    this.element.hidden = !p;
    if (!p) return;
    this.bar.style.width = `${p.share * 100}%`;
    this.track.classList.toggle('waiting', p.phase === 'waiting' || p.phase === 'writing' || p.share === 1);
    this.track.setAttribute('aria-valuenow', String(Math.round(p.share * 100)));
    fill(this.line, [
      t(`progress.${p.phase === 'sending' && p.share === 1 ? 'reading' : p.phase}`),
      p.rows ? t('progress.rows', { n: count(p.rows) }) : '',
      p.rowsPerS ? t('progress.rate', { n: count(Math.round(p.rowsPerS)) }) : '',
      p.bytesPerS && p.share < 1 ? `${num(p.bytesPerS / (1 << 20))} MiB/s` : '',
      p.etaS && p.share < 1 ? t('progress.left', { time: p.etaS < 90 ? `${Math.ceil(p.etaS)} s` : `${Math.ceil(p.etaS / 60)} min` }) : '',
    ].filter(Boolean).join(' · '));
  }
}
