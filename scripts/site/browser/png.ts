/** No picture beside a figure: Plotly draws it. */
export const pngOf = () => Promise.resolve("");
