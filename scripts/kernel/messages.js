"use strict";
// Two faults of tslab 1.0.22 in what it tells a notebook.

const { JupyterHandlerImpl, ZmqServer } = require("tslab/dist/jupyter");

/**
 * tslab takes requests while a cell runs, and says that it is idle whenever one of them is done: it says at once that
 * it is busy, as long as another is not.
 */
function mendStatus() {
  const { publishStatus } = ZmqServer.prototype;
  const open = new Set();
  ZmqServer.prototype.publishStatus = function (status, request) {
    publishStatus.call(this, status, request);
    if (status === "busy") open.add(request);
    else open.delete(request);
    const [other] = open;
    if (status === "idle" && other) publishStatus.call(this, "busy", other);
  };
}

/** JupyterLab writes what the kernel says of its language into a notebook: what is there already, or the notebook counts as changed. */
function mendLanguage() {
  const { handleKernel } = JupyterHandlerImpl.prototype;
  JupyterHandlerImpl.prototype.handleKernel = function () {
    const language_info = { name: "typescript", file_extension: ".ts", mimetype: "text/typescript" };
    return { ...handleKernel.call(this), language_info };
  };
}

module.exports = function mendMessages() {
  mendStatus();
  mendLanguage();
};
