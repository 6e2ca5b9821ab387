export { ArrowRows, openData, openRows, readBatches, readDataSet } from "./arrowReader";
export { ArrowFieldsWriter, writeDataSet } from "./arrowWriter";
