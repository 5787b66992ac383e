"""Reads a service with QGIS's own providers and prints what they saw as JSON."""
import json
import sys
import urllib.parse

from qgis.core import (QgsApplication, QgsCoordinateReferenceSystem, QgsFeatureRequest, QgsMapRendererCustomPainterJob,
                       QgsMapSettings, QgsPointXY, QgsRaster, QgsRasterLayer, QgsRectangle, QgsVectorLayer, QgsVectorTileLayer)
from qgis.PyQt.QtCore import QSize
from qgis.PyQt.QtGui import QColor, QImage, QPainter

base = sys.argv[1]
app = QgsApplication([], False)
app.initQgis()
out = {"colours": {}}

cases = QgsVectorLayer(f"url='{base}/ogc' typename='cases' restrictToRequestBBOX='0' pageSize='70'", "cases", "OAPIF")
out["features"] = sum(1 for _ in cases.getFeatures())
out["crs"] = cases.crs().authid()
out["inbox"] = sum(1 for _ in cases.getFeatures(QgsFeatureRequest(QgsRectangle(109.95, 0.45, 111.05, 0.95))))
out["lists"] = sorted({f["exploitation"] for f in cases.getFeatures() if isinstance(f["exploitation"], str)})
filtered = QgsVectorLayer(f"url='{base}/ogc' typename='cases' restrictToRequestBBOX='0' pageSize='70' filter='severity = 3'", "f", "OAPIF")
out["filtered"] = sum(1 for _ in filtered.getFeatures())


def xyz(path):
    return "type=xyz&url=" + urllib.parse.quote(base + path, safe=":/{}") + "&zmin=0&zmax=14"


layers = {
    "xyz": QgsRasterLayer(xyz("/tiles/hazard/{z}/{x}/{y}.png"), "xyz", "wms"),
    "wmts": QgsRasterLayer("url=" + urllib.parse.quote(base + "/wmts?SERVICE=WMTS&REQUEST=GetCapabilities", safe=":/")
                           + "&layers=hazard&styles=default&format=image/png&crs=EPSG:3857&tileMatrixSet=GoogleMapsCompatible", "wmts", "wms"),
    "wms": QgsRasterLayer("url=" + urllib.parse.quote(base + "/wms", safe=":/") + "&layers=hazard&styles=&format=image/png&crs=EPSG:3857", "wms", "wms"),
    "vector": QgsVectorTileLayer(xyz("/tiles/layers/land/{z}/{x}/{y}.mvt"), "vector"),
}
out["vectortiles"], out["xyz"] = layers["vector"].isValid(), layers["xyz"].isValid()
out["wmts"], out["wms"] = layers["wmts"].isValid(), layers["wms"].isValid()

for name, layer in layers.items():
    if not layer.isValid():
        continue
    settings = QgsMapSettings()
    settings.setLayers([layer])
    settings.setDestinationCrs(QgsCoordinateReferenceSystem("EPSG:3857"))
    settings.setExtent(QgsRectangle(12130000, 50000, 12800000, 450000))
    settings.setOutputSize(QSize(400, 240))
    image = QImage(settings.outputSize(), QImage.Format_ARGB32)
    image.fill(QColor(255, 255, 255, 0))
    painter = QPainter(image)
    job = QgsMapRendererCustomPainterJob(settings, painter)
    job.renderSynchronously()
    painter.end()
    out["colours"][name] = len({image.pixel(x, y) for x in range(0, 400, 4) for y in range(0, 240, 4)})

if layers["wms"].isValid():
    info = layers["wms"].dataProvider().identify(QgsPointXY(12280000, 110000), QgsRaster.IdentifyFormatText,
                                                 QgsRectangle(12130000, 50000, 12800000, 450000), 400, 240)
    out["value"] = " ".join(str(v) for v in info.results().values())
print(json.dumps(out))
