// A name beside the pointer, for what can be clicked.
import type { Map as GLMap } from 'maplibre-gl';
import { $, fill, h } from './dom';
import { known } from './i18n';
import type { Layers } from './layers';

/** Shows the name of the feature under the pointer. */
export function hover(map: GLMap, layers: Layers): void {
  const tip = $('#tip');
  let queued = false;
  map.on('mousemove', ({ point }) => {
    if (queued) return;
    queued = true;
    requestAnimationFrame(() => {
      queued = false;
      const ids = layers.clickable().filter((id) => !id.endsWith('-fill'));
      const f = map.queryRenderedFeatures([[point.x - 4, point.y - 4], [point.x + 4, point.y + 4]], { layers: [...ids, 'gap-disc'] })[0];
      map.getCanvas().style.cursor = f ? 'pointer' : '';
      if (!f || f.layer.id === 'gap-disc') { tip.hidden = true; return; }
      const p = f.properties as Record<string, unknown>;
      const l = layers.info(layers.idOf(f.source));
      const kind = p['kind'] ? known('kind', String(p['kind'])) ?? String(p['kind']) : '';
      const name = String(p['name'] ?? p['place'] ?? p['track_id'] ?? kind);
      fill(tip, h('strong', {}, name), h('span', {}, [kind !== name ? kind : '', l ? layers.title(l) : ''].filter(Boolean).join(' · ')));
      tip.hidden = false;
      tip.style.transform = `translate(${Math.round(Math.min(point.x + 14, innerWidth - 260))}px, ${Math.round(point.y + 14)}px)`;
    });
  });
  map.on('mouseout', () => { tip.hidden = true; });
}
